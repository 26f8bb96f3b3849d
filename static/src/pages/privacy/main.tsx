import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "../../ui/entrance.css";
import { Privacy } from "./Privacy";

startTheme();
void speak("privacy").then(() => render(<Privacy />, document.getElementById("page")!));
