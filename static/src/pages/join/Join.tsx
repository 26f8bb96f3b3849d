import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { api } from "../../ui/api";
import { Icon, Preferences } from "../../ui/parts";

export function Join(): JSX.Element {
  const [code, setCode] = useState(new URLSearchParams(location.search).get("code")?.toUpperCase() ?? "");
  const [wrong, setWrong] = useState("");
  const [looking, setLooking] = useState(false);
  useEffect(() => {
    document.title = t("join.heading");
  });

  async function enter(event: Event): Promise<void> {
    event.preventDefault();
    const wanted = code.trim().toUpperCase();
    if (!wanted) return;
    setLooking(true);
    setWrong("");
    const ack = await api(`/api/v1/halls/${encodeURIComponent(wanted)}`);
    setLooking(false);
    if (ack.ok) location.href = `/t/${encodeURIComponent(wanted)}`;
    else setWrong(ack.error?.message || t("join.unreachable"));
  }

  return (
    <div class="join">
      <main>
        <div class="mark" aria-hidden="true">
          <img src="/favicon.svg" alt="" width="56" height="56" />
        </div>
        <h1>{t("join.heading")}</h1>
        <p class="soft">{t("join.lead")}</p>
        <form onSubmit={(event) => void enter(event)} noValidate>
          <label class="label" for="code">
            {t("join.code")}
          </label>
          <input
            id="code"
            class="field code"
            value={code}
            onInput={(event) => setCode(event.currentTarget.value.toUpperCase())}
            placeholder={t("join.placeholder")}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            maxLength={10}
            aria-invalid={wrong ? "true" : undefined}
            aria-describedby="wrong"
          />
          <p id="wrong" class="wrong" role="alert">
            {wrong}
          </p>
          <button class="button primary wide" type="submit" disabled={looking || !code.trim()}>
            {looking ? t("join.looking") : t("join.enter")}
          </button>
        </form>
        <section class="stored" aria-labelledby="stored">
          <h2 id="stored">
            <Icon name="lock" /> {t("join.stored")}
          </h2>
          <p>{t("join.stored_1")}</p>
          <p>{t("join.stored_2")}</p>
          <p>
            <a href="/privacy">{t("join.stored_more")}</a>
          </p>
        </section>
      </main>
      <footer>
        <Preferences />
      </footer>
    </div>
  );
}
