/** Says where I stand on the way from watching to taking part, and what I can do about it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { figure, pseudonym, t } from "../../i18n";
import { clientId } from "../../link/link";
import { toast } from "../../ui/parts";
import { getEntry, hadOne, refusedWhy, standing } from "./enter";
import { keeping } from "./Keep";
import { admissionOf, asked, choose, comeIn, missed, name, takePartAgain, willing, type Name } from "./participation";
import { Restore } from "./Restore";
import { hall, outbox } from "./state";

export function EntryBar(): JSX.Element | null {
  const told = admissionOf();
  if (hall.value?.phase === "closed") return null;
  if (standing.value === "free" || standing.value === "in") return <MyName />;
  return (
    <section class={`entry ${standing.value}`} aria-label={t("audience.entry")} role="status">
      <p>
        {asked.value
          ? t("audience.entry_alone", { people: figure(told?.admission.round_people ?? 5) })
          : words(told?.participants ?? 0, told?.admission.minimum_participants ?? 30)}
        {standing.value === "outside" && refusedWhy.value && <> {refusedWhy.value}</>}
        {standing.value === "holding" && hadOne.value && <> {t("audience.entry_had")}</>}
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
        {asked.value && (
          <button class="button small" type="button" onClick={comeIn}>
            {t("audience.entry_come")}
          </button>
        )}
        {standing.value === "returned" && (
          <button class="button small" type="button" onClick={() => void takePartAgain()}>
            {t("audience.entry_now")}
          </button>
        )}
        {(standing.value === "holding" || standing.value === "returned" || standing.value === "arrived") && <KeepButton />}
      </div>
    </section>
  );
}

function words(participants: number, minimum: number): string {
  const draft = hall.value?.phase === "draft";
  if (willing.value && (standing.value === "holding" || standing.value === "arrived")) return t("audience.entry_coming");
  switch (standing.value) {
    case "unable":
      return t("audience.entry_unable");
    case "foreign":
      return t("audience.entry_foreign");
    case "holding":
      return t(draft ? "audience.entry_ready" : missed.value ? "audience.entry_missed" : "audience.entry_round");
    case "returned":
      return t("audience.entry_returned");
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
        <span>
          {t("audience.my_name")}: <strong>{pseudonym(known.pseudonym)}</strong>
        </span>
        <button class="button quiet small" type="button" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          {t("audience.other_name")}
        </button>
        {standing.value === "in" && <KeepButton />}
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

/** Opens what can be done so that an entry outlives this browser's storage. */
export function KeepButton(): JSX.Element {
  return (
    <button class="button quiet small" type="button" onClick={() => (keeping.value = true)}>
      {t("audience.keep")}
    </button>
  );
}
