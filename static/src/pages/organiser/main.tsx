import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "../../ui/office.css";

startTheme();
void speak("organiser", "refusal").then(async () => {
  const { Organiser } = await import("./Organiser");
  render(<Organiser />, document.getElementById("page")!);
});
