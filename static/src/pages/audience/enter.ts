/** Getting in comes before the link is opened: it needs a ticket, and an entry where the town hall has an issuer. */
import { signal } from "@preact/signals";
import { able, begin, complete, show, type Shown } from "../../admission/entry";
import { issuerOrigin } from "../../admission/issuer_origin";
import { b64 } from "../../admission/token";
import { find, type Entry } from "../../admission/vault";
import { t } from "../../i18n";
import type { Admission } from "../../protocol/types";
import { api } from "../../ui/api";
import { codeOf } from "../../ui/route";

export const code = codeOf();
const TICKET = `townhall.${code}.ticket`;
const TRIED = `townhall.${code}.tried`;

/**
 * Where somebody stands on the way from watching to taking part. `free`: there is no issuer, whoever is here takes part.
 * `outside`: no entry. `foreign`: the entry is for another key than the log's. `holding`: an entry that was not shown yet.
 * `arrived`: shown, not let in yet. `in`: may post.
 */
export type Standing = "free" | "outside" | "unable" | "foreign" | "holding" | "arrived" | "in";

export const standing = signal<Standing>("free");
/** The issuer's or the chat's answer where it was no. */
export const refusedWhy = signal("");
export const mine: { entry: Entry | null } = { entry: null };
let ticket = "";

export function ticketOf(): string {
  return ticket;
}

/** A participant's ticket, from now on: kept for a reload of this tab. */
export function take(shown: Shown): void {
  ticket = shown.ticket;
  try {
    sessionStorage.setItem(TICKET, ticket);
  } catch {
    // A reload then shows the token again.
  }
}

/** Null: in. "": on the way to the issuer, nothing is to be drawn. Otherwise the sentence to show. */
export async function enter(): Promise<string | null> {
  const card = await api(`/api/v1/halls/${encodeURIComponent(code)}`);
  if (!card.ok) return card.error?.message || t("refusal.internal");
  const { admission } = card.data as { admission: Admission | null };
  if (!admission) return watch(localStorage);
  const { issuer } = admission;

  // What came back from the issuer's page leaves the address bar, and with it the history.
  const answer = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  const signed = answer.get("s");
  if (signed !== null && !(await complete(code, issuer.key, signed, Date.now() / 1000))) refusedWhy.value = t("refusal.bad_token");
  const no = answer.get("r");
  if (no !== null) refusedWhy.value = t(`refusal.${no}`);
  if (signed !== null || no !== null) sessionStorage.setItem(TRIED, "1");

  mine.entry = await find(code);
  const whole = mine.entry?.signature !== undefined;
  if (!able() || issuerOrigin(issuer.url) === "") standing.value = "unable";
  else if (whole && b64(mine.entry!.spki) !== issuer.key) standing.value = "foreign";
  else if (whole) standing.value = mine.entry!.shown ? "arrived" : "holding";
  else if (sessionStorage.getItem(TRIED)) standing.value = "outside";
  else {
    // Everybody gets an entry when they come, long before most would use it: that somebody has one says nothing.
    await getEntry(admission);
    return "";
  }
  if (standing.value === "arrived") {
    ticket = sessionStorage.getItem(TICKET) ?? "";
    if (!ticket) {
      const shown = await show(mine.entry!, Date.now() / 1000);
      if ("ticket" in shown) take(shown);
      else refusedWhy.value = shown.message;
    }
    if (ticket) return null;
    standing.value = "outside";
  }
  return watch(null);
}

/** To the issuer's page, and back. */
export async function getEntry(admission: Admission): Promise<void> {
  sessionStorage.setItem(TRIED, "1");
  try {
    location.assign(await begin(code, admission.issuer));
  } catch {
    // This browser keeps nothing (a private window may not): watching is all that is left.
    refusedWhy.value = t("audience.no_storage");
    location.reload();
  }
}

/** A ticket to watch with; kept in `store`, where it is also one to take part with. */
async function watch(store: Storage | null): Promise<string | null> {
  try {
    ticket = store?.getItem(TICKET) ?? "";
  } catch {
    // Without storage this is a new participant after each reload.
  }
  if (ticket) return null;
  const ack = await api(`/api/v1/halls/${encodeURIComponent(code)}/join`, { method: "POST" });
  if (!ack.ok) return ack.error?.message || t("refusal.internal");
  ticket = (ack.data as { ticket: string }).ticket;
  try {
    store?.setItem(TICKET, ticket);
  } catch {
    // As above.
  }
  return null;
}

/** The server knows this ticket no longer (they are good for a while): come in anew. */
export function comeInAnew(): void {
  try {
    localStorage.removeItem(TICKET);
    sessionStorage.removeItem(TICKET);
  } catch {
    // Nothing was kept.
  }
  location.reload();
}
