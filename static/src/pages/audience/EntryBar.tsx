/** Says where I stand on the way from watching to taking part, and what I can do about it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { save, restore } from "../../admission/portable";
import { find } from "../../admission/vault";
import { figure, pseudonym, t } from "../../i18n";
import { clientId } from "../../link/link";
import { toast } from "../../ui/parts";
import { code, getEntry, refusedWhy, standing } from "./enter";
import { admissionOf, choose, name, type Name } from "./participation";
import { hall, outbox } from "./state";

export function EntryBar(): JSX.Element | null {
  const told = admissionOf();
  if (hall.value?.phase === "closed") return null;
  if (standing.value === "free" || standing.value === "in") return <MyName />;
  return (
    <section class={`entry ${standing.value}`} aria-label={t("audience.entry")} role="status">
      <p>
        {words(told?.participants ?? 0, told?.admission.minimum_participants ?? 30)}
        {standing.value === "outside" && refusedWhy.value && <> {refusedWhy.value}</>}
      </p>
      <div class="row">
        {standing.value === "outside" && told && (
          <>
            <button class="button primary small" type="button" onClick={() => void getEntry(told.admission)}>
              {t("audience.get_entry")}
            </button>
            <Restore issuerKey={told.admission.issuer.key} />
          </>
        )}
        {(standing.value === "holding" || standing.value === "arrived") && <Save />}
      </div>
    </section>
  );
}

function words(participants: number, minimum: number): string {
  const draft = hall.value?.phase === "draft";
  switch (standing.value) {
    case "unable":
      return t("audience.entry_unable");
    case "foreign":
      return t("audience.entry_foreign");
    case "holding":
      return t(draft ? "audience.entry_ready" : "audience.entry_round");
    case "arrived":
      return participants < minimum
        ? t("audience.entry_few", { minimum: figure(minimum), count: figure(participants) })
        : t("audience.entry_waiting");
    default:
      return t("audience.entry_outside");
  }
}

/** The name I post under; another one, while that can be chosen. */
function MyName(): JSX.Element | null {
  const open = useSignal(false);
  const known = name.value;
  if (!known || known.choices.length === 0 || outbox.mine.value.size > 0 || hall.value?.phase !== "open") return null;
  async function take(choice: Name): Promise<void> {
    const refused = await choose(choice, clientId());
    if (refused !== null) toast(refused || t("refusal.internal"));
  }
  return (
    <section class="entry name" aria-label={t("audience.my_name")}>
      <p>
        {t("audience.my_name")}: <strong>{pseudonym(known.pseudonym)}</strong>{" "}
        <button class="button quiet small" type="button" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          {t("audience.other_name")}
        </button>
      </p>
      {open.value && (
        <div class="row">
          {known.choices.map((choice) => (
            <button key={choice.join()} class="button small" type="button" onClick={() => void take(choice)}>
              {pseudonym(choice)}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

function Save(): JSX.Element | null {
  const late = useSignal(false);
  if (late.value) return <span class="small soft">{t("audience.entry_locked")}</span>;
  async function download(): Promise<void> {
    const text = await save(code);
    if (text === null) {
      late.value = true;
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `townhall-${code}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  return (
    <button class="button quiet small" type="button" title={t("audience.entry_save_why")} onClick={() => void download()}>
      {t("audience.entry_save")}
    </button>
  );
}

function Restore({ issuerKey }: { issuerKey: string }): JSX.Element {
  async function read(file: File | undefined): Promise<void> {
    if (!file) return;
    if ((await restore(code, issuerKey, await file.text())) && (await find(code))) location.reload();
    else toast(t("audience.entry_not"));
  }
  return (
    <label class="button quiet small">
      {t("audience.entry_restore")}
      <input class="hidden" type="file" accept="application/json" onChange={(event) => void read(event.currentTarget.files?.[0])} />
    </label>
  );
}
