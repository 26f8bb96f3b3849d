import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { api } from "../../ui/api";
import { Entrance } from "../../ui/Entrance";

export function Join(): JSX.Element {
  const [code, setCode] = useState(new URLSearchParams(location.search).get("code")?.toUpperCase() ?? "");
  const [wrong, setWrong] = useState("");
  const [looking, setLooking] = useState(false);

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
    <Entrance
      section="join"
      lead={t("join.lead")}
      stored={
        <>
          <p>{t("join.stored_1")}</p>
          <p>{t("join.stored_2")}</p>
          <p>{t("join.stored_3")}</p>
          <p>
            <a href="/privacy">{t("join.stored_more")}</a>
          </p>
        </>
      }
    >
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
    </Entrance>
  );
}
