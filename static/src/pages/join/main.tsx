import { render } from "preact";
import { speak } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "../../ui/entrance.css";
import { Join } from "./Join";

startTheme();
void speak("join", "refusal").then(() => render(<Join />, document.getElementById("page")!));
