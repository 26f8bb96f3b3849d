/** "What is stored about this message": what the store holds of it, byte for byte, and what is not protected. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import type { Outbox } from "../../link/outbox";
import { Dialog } from "../../ui/parts";
import { save } from "../../ui/save";
import { code } from "./enter";
import { Fingerprint } from "./Fingerprint";
import { link } from "./state";

export function Stored({ outbox, typed, onClose }: { outbox: Outbox; typed: string; onClose: () => void }): JSX.Element {
  const mine = [...outbox.mine.value].sort((a, b) => b - a);
  const chosen = useSignal(mine[0] ?? 0);
  const shown = useSignal("");
  useEffect(() => {
    shown.value = "";
    if (!chosen.value) return;
    void link
      .send("message:stored", { message: chosen.value })
      .then((ack) => (shown.value = ack.ok ? JSON.stringify(ack.data, null, 2) : (ack.error?.message ?? "")))
      .catch(() => (shown.value = t("refusal.not_saved")));
  }, [chosen.value]);

  function download(): void {
    const parts = [t("audience.lock"), "", shown.value, "", ...["lock_1", "lock_2", "lock_3"].map((key) => t(`audience.${key}`))];
    save(new Blob([parts.join("\n")], { type: "text/plain;charset=utf-8" }), `${code}-${chosen.value}.txt`);
  }

  return (
    <Dialog title={t("audience.lock")} onClose={onClose}>
      {mine.length > 0 ? (
        <>
          <label class="label small">
            {t("audience.stored_of")}{" "}
            <select class="field" value={chosen.value} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
              {mine.slice(0, 50).map((id) => (
                <option key={id} value={id}>
                  {t("audience.number", { id })}
                </option>
              ))}
            </select>
          </label>
          <pre class="stored" tabIndex={0} aria-label={t("audience.stored_as")} data-stored={chosen.value}>
            {shown.value}
          </pre>
          <p class="small soft">{t("audience.stored_words")}</p>
        </>
      ) : (
        <p class="small soft">{typed ? t("audience.stored_not_yet") : t("audience.stored_none")}</p>
      )}
      <p>{t("audience.lock_1")}</p>
      <p>{t("audience.lock_2")}</p>
      <p>{t("audience.lock_3")}</p>
      <Fingerprint />
      <p>
        <a href="/privacy" target="_blank" rel="noreferrer">
          {t("audience.lock_more")}
        </a>
      </p>
      <div class="actions">
        {shown.value && (
          <button class="button" type="button" onClick={download}>
            ↓ {t("audience.stored_save")}
          </button>
        )}
        <button class="button primary" type="button" onClick={onClose}>
          {t("common.close")}
        </button>
      </div>
    </Dialog>
  );
}
