import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "../../ui/office.css";
import "./issuer.css";

startTheme();
void speak("issuer", "refusal").then(async () => {
  const { IssuerPage } = await import("./IssuerPage");
  render(<IssuerPage />, document.getElementById("page")!);
});
