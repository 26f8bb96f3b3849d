/** The address of a printed entry was opened. Nobody is to come in with an entry that somebody else has sent them. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { fromFragment, restoreCode } from "../../admission/portable";
import { find } from "../../admission/vault";
import { t } from "../../i18n";
import { api } from "../../ui/api";
import type { Admission } from "../../protocol/types";
import { code } from "./enter";

/** `done`: go on, with it or without. */
export function Brought({ printed, done }: { printed: string; done: () => void }): JSX.Element {
  const bytes = fromFragment(printed);
  const wrong = useSignal(bytes ? "" : t("audience.entry_not"));
  const busy = useSignal(false);

  async function take(): Promise<void> {
    busy.value = true;
    const card = await api(`/api/v1/halls/${encodeURIComponent(code)}`);
    const key = (card.data as { admission: Admission | null } | undefined)?.admission?.issuer.key;
    const there = await find(code);
    busy.value = false;
    if (!card.ok) wrong.value = card.error?.message || t("refusal.internal");
    else if (there?.signature) wrong.value = t("audience.brought_there");
    else if (key && bytes && (await restoreCode(code, key, bytes))) done();
    else wrong.value = t("audience.entry_not");
  }

  return (
    <main class="refused">
      <h1>{t("audience.brought")}</h1>
      <p>{t("audience.brought_ask")}</p>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      <div class="row">
        {!wrong.value && (
          <button class="button primary" type="button" disabled={busy.value} onClick={() => void take()}>
            {t("audience.brought_mine")}
          </button>
        )}
        <button class="button" type="button" onClick={done}>
          {t(wrong.value ? "audience.brought_on" : "audience.brought_not")}
        </button>
      </div>
    </main>
  );
}
