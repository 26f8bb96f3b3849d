/** Keep my entry elsewhere: as a file, or on paper. Both come out of this browser alone; no server draws or sees them. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { print, savable, save } from "../../admission/portable";
import { t } from "../../i18n";
import { Dialog } from "../../ui/parts";
import { save as toFile } from "../../ui/save";
import { code } from "./enter";
import { keeping } from "./EntryBar";
import { hall } from "./state";

function onClose(): void {
  keeping.value = false;
}

export function Keep(): JSX.Element {
  const can = useSignal<boolean | null>(null);
  const sheet = useSignal<Sheet | null>(null);
  useEffect(() => {
    void savable(code).then((found) => (can.value = found));
  }, []);

  async function download(): Promise<void> {
    const text = await save(code);
    if (text === null) can.value = false;
    else toFile(new Blob([text], { type: "application/json" }), `townhall-${code}.json`);
  }

  async function draw(): Promise<void> {
    const printed = await print(code);
    if (!printed) {
      can.value = false;
      return;
    }
    // Drawn where somebody prints, and at no other time.
    const { encodeQR } = await import("qr");
    const address = `${location.origin}/t/${encodeURIComponent(code)}`;
    sheet.value = { rows: printed.rows, address, dots: encodeQR(printed.picture, "raw", { ecc: "low", border: 4 }) };
  }

  if (sheet.value) return <Printed sheet={sheet.value} />;
  return (
    <Dialog title={t("audience.keep")} onClose={onClose}>
      <p>{t("audience.keep_why")}</p>
      <p>{t("audience.keep_from")}</p>
      {can.value === false && (
        <p class="wrong" role="status">
          {t("audience.keep_late")}
        </p>
      )}
      <div class="actions">
        <button class="button" type="button" onClick={onClose}>
          {t("common.close")}
        </button>
        <button class="button" type="button" disabled={!can.value} onClick={() => void draw()}>
          {t("audience.keep_paper")}
        </button>
        <button class="button primary" type="button" disabled={!can.value} onClick={() => void download()}>
          {t("audience.keep_file")}
        </button>
      </div>
    </Dialog>
  );
}

interface Sheet {
  rows: readonly string[];
  address: string;
  dots: readonly (readonly boolean[])[];
}

/** What is printed; it is seen first. */
function Printed({ sheet }: { sheet: Sheet }): JSX.Element {
  const { rows, address, dots } = sheet;
  const size = dots.length;
  const path = dots.flatMap((line, y) => line.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <Dialog title={t("audience.keep_title", { title: hall.value?.title ?? "" })} onClose={onClose}>
      <div class="sheet">
        <p tabIndex={-1} autofocus>
          {t("audience.keep_what", { code })}
        </p>
        <p>
          <strong>{t("audience.keep_from")}</strong>
        </p>
        <div class="qr">
          <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t("audience.keep_qr")} shape-rendering="crispEdges">
            <rect width={size} height={size} fill="#fff" />
            <path d={path} fill="#000" />
          </svg>
        </div>
        <p class="small">{t("audience.keep_scan", { address, button: t("audience.restore_scan") })}</p>
        <p class="small">{t("audience.keep_type", { button: t("audience.restore_code") })}</p>
        <ol class="rows">
          {rows.map((row) => (
            <li key={row}>
              <code>{row}</code>
            </li>
          ))}
        </ol>
      </div>
      <div class="actions">
        <button class="button" type="button" onClick={onClose}>
          {t("common.close")}
        </button>
        <button class="button primary" type="button" onClick={() => window.print()}>
          {t("audience.keep_print")}
        </button>
      </div>
    </Dialog>
  );
}
