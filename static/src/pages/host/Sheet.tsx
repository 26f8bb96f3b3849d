import type { ComponentChildren, JSX } from "preact";
import { t } from "../../i18n";
import { Dialog } from "../../ui/parts";
import { dialog, type Open } from "./dialogs";

export function close(): void {
  dialog.value = null;
}

/** The last row of a dialog in which nothing is to be confirmed. */
export function Closing(): JSX.Element {
  return (
    <div class="actions">
      <button class="button" type="button" onClick={close}>
        {t("common.close")}
      </button>
    </div>
  );
}

/** A dialog with one thing to confirm. When it was done, or is left, `next` is open. */
export function Sheet({ title, label, kind = "primary", ready = true, next = null, onDone, children }: { title: string; label: string; kind?: string; ready?: boolean; next?: Open; onDone: () => Promise<boolean>; children: ComponentChildren }): JSX.Element {
  const leave = (): void => void (dialog.value = next);
  return (
    <Dialog title={title} onClose={leave}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void onDone().then((done) => done && leave());
        }}
      >
        {children}
        <div class="actions">
          <button class="button" type="button" onClick={leave}>
            {t("common.cancel")}
          </button>
          <button class={`button ${kind}`} type="submit" disabled={!ready}>
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
