import { render } from "preact";
import { speak, t } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "./audience.css";

startTheme();
void (async () => {
  await speak("audience", "refusal", "closing", "pseudonym");
  const page = document.getElementById("page")!;
  // A printed entry leaves the address bar, and with it the history, before anything else.
  const printed = new URLSearchParams(location.hash.slice(1)).get("e");
  if (printed !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    const { Brought } = await import("./Brought");
    await new Promise<void>((done) => render(<Brought printed={printed} done={done} />, page));
  }
  const { enter } = await import("./enter");
  const refused = await enter();
  if (refused === "") return; // on the way to the issuer
  if (refused !== null) {
    render(
      <main class="refused">
        <h1>{t("common.title")}</h1>
        <p>{refused}</p>
        <a class="button" href="/">
          {t("common.retry")}
        </a>
      </main>,
      page,
    );
    return;
  }
  const { Audience } = await import("./Audience");
  render(<Audience />, page);
})();
