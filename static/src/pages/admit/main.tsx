import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "../../ui/entrance.css";
import { Admit } from "./Admit";
import { arrive } from "./state";

startTheme();
void speak("admit", "refusal", "pseudonym").then(async () => {
  await arrive();
  render(<Admit />, document.getElementById("page")!);
});
