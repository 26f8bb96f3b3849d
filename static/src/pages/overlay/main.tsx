import { render } from "preact";
import { change, speak, speakAll } from "../../i18n";
import "../../ui/tokens.css";
import "./overlay.css";
import { parameters } from "./parameters";

const chosen = parameters(new URLSearchParams(location.search));
void speak("overlay", "closing", "refusal", "pseudonym").then(async () => {
  if (chosen.lang) await change(chosen.lang, false);
  await speakAll("pseudonym");
  const { Overlay } = await import("./Overlay");
  render(<Overlay chosen={chosen} />, document.getElementById("page")!);
});
