import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "./host.css";

startTheme();
void speak("host", "refusal", "closing", "pseudonym").then(async () => {
  const { Console } = await import("./Console");
  render(<Console />, document.getElementById("page")!);
});
