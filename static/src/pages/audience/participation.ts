/** The way from a token to a voice, while the page is open: its round, the others, the name; and tickets that stay fresh. */
import { effect, signal } from "@preact/signals";
import { show } from "../../admission/entry";
import { plan } from "../../admission/rounds";
import { b64 } from "../../admission/token";
import { oneOf } from "../../feed/fold";
import type { AudienceAdmission } from "../../protocol/types";
import { mine, refusedWhy, standing, take } from "./enter";
import { hall, link } from "./state";

const ASK_MS = 15_000;
const FRESH_PART = 0.6;

export type Name = readonly [number, number, number];
/** My pseudonym, and those that I may still choose. */
export const name = signal<{ pseudonym: Name; choices: readonly Name[] } | null>(null);

/** Whether I am one of those who wait because a host lets only those write who took part before. */
export const newcomer = signal(false);

/** Whether I am asked to come in with fewer than are let in together; and whether I will. */
export const asked = signal(false);
export const willing = signal(false);
let told = false;

export function admissionOf(): AudienceAdmission | null {
  void link.version.value;
  return oneOf<AudienceAdmission>(link.view, "admission") ?? null;
}

let scheduled = -1;
let asking = false;
let fresh: ReturnType<typeof setTimeout> | undefined;

/** Follow what happens, for as long as the page is open. */
export function follow(): void {
  effect(() => {
    void link.version.value;
    if (link.state.value === "live" && standing.value !== "in") queueMicrotask(step);
  });
  effect(() => {
    newcomer.value = false;
    if (hall.value?.newcomers_wait && (standing.value === "free" || standing.value === "in")) queueMicrotask(() => void check());
  });
  setInterval(step, ASK_MS);
  if (standing.peek() === "arrived") keepFresh(1);
}

/** Come in with few: in the next round, or, where my token was shown already, with the next who are let in. */
export function comeIn(): void {
  willing.value = true;
  asked.value = false;
  step();
}

function step(): void {
  if (link.state.peek() !== "live" || hall.peek()?.phase !== "open") return;
  if (standing.peek() === "holding") hold();
  else if (standing.peek() === "arrived" || (standing.peek() === "free" && !name.peek())) void check();
}

function hold(): void {
  const found = admissionOf();
  const entry = mine.entry;
  if (!found || !entry) return;
  if (found.admission.issuer.key !== b64(entry.spki)) {
    standing.value = "foreign";
    return;
  }
  const now = Date.now() / 1000 + link.skew.peek();
  const round = (found.round ?? null) as readonly [number, number, number] | null;
  const signedAt = (entry.signedAt ?? 0) + link.skew.peek();
  const times = { now, signedAt, round, roundS: found.admission.round_s ?? 120, few: found.few ?? false, willing: willing.peek() };
  const next = plan(times, Math.random());
  if (next.do === "await") void wait();
  else if (scheduled !== (round?.[0] ?? 0)) {
    scheduled = round?.[0] ?? 0;
    asked.value = false;
    setTimeout(() => void arrive(), next.afterS * 1000);
  }
}

/** Say that I wait for a round. */
async function wait(): Promise<void> {
  const ack = await link.send("round:await", willing.peek() ? { few: true } : {}).catch(() => null);
  if (ack?.ok && standing.peek() === "holding") asked.value = !willing.peek() && (ack.data as { few?: boolean }).few === true;
}

/** Show the token, and come in again as whoever it makes. */
async function arrive(): Promise<void> {
  const shown = await show(mine.entry!, Date.now() / 1000, willing.peek());
  if ("ticket" in shown) {
    take(shown);
    told = willing.peek();
    refusedWhy.value = "";
    standing.value = "arrived";
    keepFresh(shown.good_for_s);
    link.renew();
    return;
  }
  scheduled = -1;
  if (shown.code === "token_taken" || shown.code === "bad_token") {
    refusedWhy.value = shown.message;
    standing.value = "outside";
  }
}

/** Tickets are good for a quarter of an hour; the next one is there before this one ends. */
function keepFresh(goodForS: number): void {
  clearTimeout(fresh);
  fresh = setTimeout(() => {
    void show(mine.entry!, Date.now() / 1000).then((shown) => {
      if ("ticket" in shown) take(shown);
      keepFresh("ticket" in shown ? shown.good_for_s : 60);
    });
  }, goodForS * FRESH_PART * 1000);
}

/** Whether I may post by now, and under which name. */
async function check(): Promise<void> {
  if (asking) return;
  asking = true;
  if (willing.peek() && !told) {
    const shown = await show(mine.entry!, Date.now() / 1000, true);
    told = "ticket" in shown;
  }
  const ack = await link.send("participation:check", {}).catch(() => null);
  asking = false;
  const found = ack?.data as { barred: string | null; pseudonym: Name | null; choices: Name[]; few?: boolean } | undefined;
  if (!ack?.ok || !found) return;
  newcomer.value = found.barred === "newcomers_wait";
  if (found.pseudonym) name.value = { pseudonym: found.pseudonym, choices: found.choices };
  if (standing.peek() === "arrived") {
    asked.value = found.few === true && !willing.peek();
    if (found.barred === null || newcomer.peek()) standing.value = "in";
  }
}

/** Take another name, once. Out: a sentence if that was refused. */
export async function choose(pseudonym: Name, clientId: string): Promise<string | null> {
  const ack = await link.send("pseudonym:choose", { client_id: clientId, pseudonym: [...pseudonym] as [number, number, number] }).catch(() => null);
  if (ack?.ok) name.value = { pseudonym, choices: [] };
  return ack?.ok ? null : (ack?.error?.message ?? "");
}
