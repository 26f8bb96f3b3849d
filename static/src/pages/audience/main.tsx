import { render } from "preact";
import { speak, t } from "../../i18n";
import "../../ui/base.css";
import { startTheme } from "../../ui/theme";
import "./audience.css";

startTheme();
void (async () => {
  await speak("audience", "refusal", "closing", "pseudonym");
  const page = document.getElementById("page")!;
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
