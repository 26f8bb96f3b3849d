/** Getting in comes before the link is opened: it needs a ticket, and an entry where the town hall has an issuer. */
import { signal } from "@preact/signals";
import { able, begin, complete, show, type Shown } from "../../admission/entry";
import { RETURN_S, within } from "../../admission/rounds";
import { issuerOrigin } from "../../admission/issuer_origin";
import { b64 } from "../../admission/token";
import { find, keeps, type Entry } from "../../admission/vault";
import { t } from "../../i18n";
import type { Admission } from "../../protocol/types";
import { api } from "../../ui/api";
import { codeOf } from "../../ui/route";
import { local, session } from "../../ui/storage";

export const code = codeOf();
const TICKET = `townhall.${code}.ticket`;
const TRIED = `townhall.${code}.tried`;
const RETURNED = `townhall.${code}.returned`;
/** What the issuer's page made when somebody pressed its button. */
const ASK = /^[A-Za-z0-9_-]{16,64}$/;

/**
 * Where somebody stands on the way from watching to taking part. `free`: there is no issuer, whoever is here takes part.
 * `outside`: no entry. `foreign`: the entry is for another key than the log's. `holding`: an entry that was not shown yet.
 * `returned`: it was shown, and this page came from the issuer: it watches first. `arrived`: shown, not let in yet.
 * `in`: may post.
 */
export type Standing = "free" | "outside" | "unable" | "foreign" | "holding" | "returned" | "arrived" | "in";

export const standing = signal<Standing>("free");
/** The issuer's or the chat's answer where it was no. */
export const refusedWhy = signal("");
/** The issuer's page asked for an entry, and there is one: it was told nothing. */
export const hadOne = signal(false);
export const mine: { entry: Entry | null } = { entry: null };
let ticket = "";

/** Empty: watches as nobody. */
export function ticketOf(): string {
  return ticket;
}

/** Whether this page's connection is that of somebody who takes part. On any other nothing is said that only they can know. */
export function speaks(): boolean {
  return standing.value === "free" || standing.value === "arrived" || standing.value === "in";
}

/** A participant's ticket, from now on: kept for a reload of this tab. */
export function take(shown: Shown): void {
  ticket = shown.ticket;
  session.setItem(TICKET, ticket);
}

/** Null: in. "": on the way to the issuer, nothing is to be drawn. Otherwise the sentence to show. */
export async function enter(): Promise<string | null> {
  // On the connection of the page itself, so that the one on which tokens are shown is used for nothing else.
  const card = await api(`/api/v1/halls/${encodeURIComponent(code)}`, { credentials: "same-origin" });
  if (!card.ok) return card.error?.message || t("refusal.internal");
  const { admission } = card.data as { admission: Admission | null };
  if (!admission) return join();
  const { issuer } = admission;

  // What came from the issuer's page leaves the address bar.
  const answer = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  const [ask, signed, no] = [answer.get("ask"), answer.get("s"), answer.get("r")];
  const waiting = (answer.get("w") ?? "").split(",").filter(Boolean);
  if (signed !== null && !(await complete(code, issuer.key, signed, waiting, Date.now() / 1000))) refusedWhy.value = t("refusal.bad_token");
  if (no !== null) refusedWhy.value = t(`refusal.${no}`);
  const returned = ask !== null || signed !== null || no !== null;
  if (returned) session.setItem(TRIED, "1");

  mine.entry = await find(code);
  const whole = mine.entry?.signature !== undefined;
  if (!able() || issuerOrigin(issuer.url) === "") standing.value = "unable";
  else if (whole) {
    standing.value = b64(mine.entry!.spki) !== issuer.key ? "foreign" : mine.entry!.shown ? "arrived" : "holding";
    hadOne.value = ask !== null;
  } else if (ask !== null && ASK.test(ask)) {
    if (await answered(admission, ask)) return "";
  } else if (session.getItem(TRIED)) standing.value = "outside";
  // Everybody is asked when they come, long before most would take part: that somebody has an entry says little.
  else if (await getEntry(admission)) return "";
  if (standing.value !== "arrived") return null;

  if (returned) session.setItem(RETURNED, String(Date.now() / 1000 + within(RETURN_S, Math.random())));
  if (watchesFirst() > 0) standing.value = "returned";
  else if (!(await comeBack())) standing.value = "outside";
  return null;
}

/** For how many seconds this page watches first: it came from the issuer a moment ago, and taking part then would be told by it. */
export function watchesFirst(): number {
  return Number(session.getItem(RETURNED) ?? 0) - Date.now() / 1000;
}

/** Be the participant again that this browser's token made. False: it is not taken, `refusedWhy` says why. */
export async function comeBack(): Promise<boolean> {
  session.removeItem(RETURNED);
  ticket = session.getItem(TICKET) ?? "";
  if (ticket) return true;
  const shown = await show(mine.entry!, Date.now() / 1000);
  if ("ticket" in shown) take(shown);
  else refusedWhy.value = shown.message;
  return "ticket" in shown;
}

/** To the issuer's page, where a press of its button begins an entry. False: this browser could not keep it. */
export async function getEntry(admission: Admission): Promise<boolean> {
  session.setItem(TRIED, "1");
  if (!session.lasts() || !(await keeps())) return without();
  location.assign(`${issuerOrigin(admission.issuer.url)}/admit/${encodeURIComponent(code)}`);
  return true;
}

/** Its button was pressed: back there with what is to be signed. `ask`: it takes nothing else than what comes with this. */
async function answered({ issuer }: Admission, ask: string): Promise<boolean> {
  try {
    const brought = await begin(code, issuer);
    if (brought === null) location.reload();
    else location.replace(`${issuerOrigin(issuer.url)}/admit/${encodeURIComponent(code)}#ask=${ask}&${brought}`);
    return true;
  } catch {
    return without();
  }
}

/** This browser keeps nothing (a private window may not): watching is all that is left. */
function without(): false {
  standing.value = "outside";
  refusedWhy.value = t("audience.no_storage");
  return false;
}

/** Without an issuer: a participant's ticket, the same one again where it was kept. */
async function join(): Promise<string | null> {
  ticket = local.getItem(TICKET) ?? "";
  if (ticket) return null;
  const ack = await api(`/api/v1/halls/${encodeURIComponent(code)}/join`, { method: "POST" });
  if (!ack.ok) return ack.error?.message || t("refusal.internal");
  ticket = (ack.data as { ticket: string }).ticket;
  local.setItem(TICKET, ticket);
  return null;
}

/** The server knows this ticket no longer (they are good for a while): come in anew. */
export function comeInAnew(): void {
  local.removeItem(TICKET);
  session.removeItem(TICKET);
  location.reload();
}
