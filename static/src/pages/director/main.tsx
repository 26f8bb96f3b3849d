import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "./director.css";

startTheme();
void speak("director", "refusal", "closing", "pseudonym").then(async () => {
  const { Director } = await import("./Director");
  render(<Director />, document.getElementById("page")!);
});
