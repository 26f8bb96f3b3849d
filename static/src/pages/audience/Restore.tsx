/** Come in with an entry that was kept: from its file, or from its code, held before the camera or typed in. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { restore, restoreCode, typed } from "../../admission/portable";
import { figure, t } from "../../i18n";
import { Dialog, toast } from "../../ui/parts";
import { code } from "./enter";
import { Scan } from "./Scan";

export function Restore({ issuerKey }: { issuerKey: string }): JSX.Element {
  const open = useSignal(false);
  const scanning = useSignal(false);
  const file = useRef<HTMLInputElement>(null);

  async function take(chosen: File | undefined): Promise<void> {
    if (!chosen) return;
    if (await restore(code, issuerKey, await chosen.text())) location.reload();
    else toast(t("audience.entry_not"), true);
    file.current!.value = ""; // so that the same one can be chosen again
  }

  return (
    <>
      <button class="button small" type="button" onClick={() => file.current!.click()}>
        {t("audience.restore_file")}
      </button>
      <input ref={file} hidden type="file" accept="application/json,.json" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      <button class="button small" type="button" onClick={() => (scanning.value = true)}>
        {t("audience.restore_scan")}
      </button>
      <button class="button small" type="button" onClick={() => (open.value = true)}>
        {t("audience.restore_code")}
      </button>
      {scanning.value && <Scan issuerKey={issuerKey} onClose={() => (scanning.value = false)} />}
      {open.value && <Typed issuerKey={issuerKey} onClose={() => (open.value = false)} />}
    </>
  );
}

/** Says row by row whether it is right, so that nobody types to the end in vain. */
function Typed({ issuerKey, onClose }: { issuerKey: string; onClose: () => void }): JSX.Element {
  const text = useSignal("");
  const wrong = useSignal(false);
  const { right, rows, wrong: row, bytes } = typed(text.value);

  async function take(): Promise<void> {
    if (bytes && (await restoreCode(code, issuerKey, bytes))) location.reload();
    else wrong.value = true;
  }

  return (
    <Dialog title={t("audience.restore_code")} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void take();
        }}
      >
        <p class="small soft" id="code-how">
          {t("audience.restore_how", { rows })}
        </p>
        <p class="small soft">{t("audience.restore_own")}</p>
        <textarea
          class="field rows"
          rows={8}
          value={text.value}
          aria-label={t("audience.restore_code")}
          aria-describedby="code-how code-said"
          aria-invalid={row !== null || wrong.value ? "true" : undefined}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="characters"
          onInput={(event) => {
            text.value = event.currentTarget.value;
            wrong.value = false;
          }}
        />
        <p id="code-said" role="status" class={row !== null || wrong.value ? "wrong" : "soft"}>
          {wrong.value ? t("audience.entry_not") : row !== null ? t("audience.restore_row", { row }) : t("audience.restore_rows", { right: figure(right), rows: figure(rows) })}
        </p>
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button class="button primary" type="submit" disabled={!bytes}>
            {t("audience.restore_enter")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
