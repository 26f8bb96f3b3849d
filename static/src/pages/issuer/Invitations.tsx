/** Personal invitations: a CSV in; slips to print, a CSV to merge, or mail out. Told once. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { figure, t } from "../../i18n";
import { Dialog, toast } from "../../ui/parts";
import { save } from "../../ui/save";
import { type Counts, invite, invited, type Issuance, mail, offered, refresh, voidUnused } from "./state";

const SAMPLE = "\uFEFF성명,이메일\r\n김하늘,haneul@example.org\r\n이바다,bada@example.org\r\n";

export function Invitations({ issuance }: { issuance: Issuance }): JSX.Element {
  const file = useSignal<File | null>(null);
  const wrong = useSignal("");
  const busy = useSignal(false);
  const counts = useSignal<Counts | null>(null);
  const sure = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const state = invited.value;

  function take(): void {
    file.value = input.current?.files?.[0] ?? null;
    input.current!.value = ""; // so that the same file, mended, can be chosen again
    wrong.value = "";
  }

  async function make(form: "html" | "csv" | "mail"): Promise<void> {
    if (!file.value) return;
    busy.value = true;
    wrong.value = "";
    counts.value = null;
    const made = form === "mail" ? await mail(issuance.code, file.value) : await invite(issuance.code, file.value, form);
    if (typeof made === "string") wrong.value = made;
    else {
      counts.value = made.counts;
      if (made.file) save(made.file, `${issuance.code}-invitations.${form}`);
    }
    busy.value = false;
    if (!wrong.value) {
      file.value = null;
      toast(t(form === "mail" ? "issuer.mailing" : "issuer.invitations_made"));
    }
    await refresh();
  }

  return (
    <section class="card invitations" aria-labelledby="invitations" aria-busy={busy.value}>
      <h2 id="invitations">{t("issuer.invitations")}</h2>
      <p class="small">{t("issuer.invitations_hint")}</p>
      <div class="row">
        <input ref={input} id="csv" class="hidden" type="file" accept=".csv,text/csv,text/plain" onChange={take} />
        <label for="csv" class="button">
          {t("issuer.csv")}
        </label>
        <button class="button quiet" type="button" onClick={() => save(new Blob([SAMPLE], { type: "text/csv" }), "guests.csv")}>
          {t("issuer.csv_sample")}
        </button>
      </div>
      <p role="status">{file.value && t("issuer.csv_chosen", { name: file.value.name })}</p>
      {file.value && (
        <div class="row">
          <button class="button primary" type="button" disabled={busy.value} onClick={() => void make("html")}>
            {t("issuer.slips")}
          </button>
          <button class="button" type="button" disabled={busy.value} onClick={() => void make("csv")}>
            {t("issuer.merge")}
          </button>
          {offered.value?.mails && (
            <button class="button" type="button" disabled={busy.value} onClick={() => void make("mail")}>
              {t("issuer.mail")}
            </button>
          )}
        </div>
      )}
      {wrong.value && (
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
      )}
      {counts.value && <Told counts={counts.value} />}
      <p class="small soft">{t("issuer.told_once")}</p>
      {state !== null && state.invited > 0 && (
        <div>
          <button class="button quiet" type="button" onClick={() => (sure.value = true)}>
            {t("issuer.void")}
          </button>
        </div>
      )}
      {sure.value && (
        <Dialog title={t("issuer.void")} onClose={() => (sure.value = false)}>
          <p>{t("issuer.void_sure")}</p>
          <div class="actions">
            <button class="button" type="button" onClick={() => (sure.value = false)}>
              {t("common.cancel")}
            </button>
            <button
              class="button bad"
              type="button"
              onClick={() => {
                sure.value = false;
                counts.value = null;
                void voidUnused(issuance.code).then((count) => count !== null && toast(t("issuer.voided", { count: figure(count) })));
              }}
            >
              {t("issuer.void")}
            </button>
          </div>
        </Dialog>
      )}
      {offered.value && !offered.value.mails && <p class="small soft">{t("issuer.no_mail")}</p>}
      {state !== null && state.total > 0 && (
        <p class="small" role="status">
          {t(state.sending ? "issuer.mail_under_way" : "issuer.mail_ended", { sent: figure(state.sent), total: figure(state.total) })}
        </p>
      )}
      {state !== null && state.failed.length > 0 && (
        <details>
          <summary class="wrong">{t("issuer.mail_failed", { count: figure(state.failed.length) })}</summary>
          <ul>
            {state.failed.map((address) => (
              <li key={address}>{address}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** Nobody is merged or left out in silence. */
function Told({ counts }: { counts: Counts }): JSX.Element {
  return (
    <div role="status">
      <p class="small">{t("issuer.held", { invited: figure(counts.invited), holding: figure(counts.holding), replaced: figure(counts.replaced) })}</p>
      {counts.same_address > 0 && <p class="small">{t("issuer.same_address", { count: figure(counts.same_address) })}</p>}
      {counts.same_name > 0 && <p class="small">{t("issuer.same_name", { count: figure(counts.same_name) })}</p>}
    </div>
  );
}
