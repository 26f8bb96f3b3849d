/** The way from a token to a voice, while the page is open: its round, the others, the name; and tickets that stay fresh. */
import { effect, signal } from "@preact/signals";
import { show, waitingToken } from "../../admission/entry";
import { lock, SAVED_WITHIN_S } from "../../admission/lock";
import { AGAIN_S, awaitFrom, plan, RETURN_S, rotation, within } from "../../admission/rounds";
import { b64 } from "../../admission/token";
import { find } from "../../admission/vault";
import { oneOf } from "../../feed/fold";
import type { AudienceAdmission } from "../../protocol/types";
import { session } from "../../ui/storage";
import { code, comeBack, mine, refusedWhy, standing, take, watchesFirst } from "./enter";
import { hall, link } from "./state";

const CHECK_MS = 15_000;
const TICK_MS = 1_000;
/** Until a token that could not be shown is tried again: least, most. */
const RETRY_S = [2, 10] as const;
const FRESH_PART = 0.6;
const CHOSEN = `townhall.${code}.round`;

export type Name = readonly [number, number, number];
/** My pseudonym, and those that I may still choose. */
export const name = signal<{ pseudonym: Name; choices: readonly Name[] } | null>(null);

/** Whether I am one of those who wait because a host lets only those write who took part before. */
export const newcomer = signal(false);

/** Whether I am asked to come in with fewer than are let in together; and whether I will. */
export const asked = signal(false);
export const willing = signal(false);
/** Whether I wait for another round because I was not there when this one began. */
export const missed = signal(false);
let told = false;

export function admissionOf(): AudienceAdmission | null {
  void link.version.value;
  return oneOf<AudienceAdmission>(link.view, "admission") ?? null;
}

/** Of this connection, by the server's clock. */
let openedAt = 0;
/** When I say (again) that I wait, by the server's clock; the place of the waiting token that I say it with. */
let awaitAt = 0;
let place = 0;
/** The place of the one that was said last. */
let said = -1;
let scheduled = -1;
let asking = false;
let showing: ReturnType<typeof setTimeout> | undefined;
let fresh: ReturnType<typeof setTimeout> | undefined;

/** Unix seconds by the server's clock. */
function clock(): number {
  return Date.now() / 1000 + link.skew.peek();
}

/** By the same clock. */
function signedAt(): number {
  return (mine.entry?.signedAt ?? 0) + link.skew.peek();
}

/** Follow what happens, for as long as the page is open. */
export function follow(): void {
  effect(() => {
    if (!link.hello.value) return;
    openedAt = clock();
    awaitAt = awaitFrom({ openedAt, signedAt: signedAt() }, Math.random());
  });
  effect(() => {
    void link.version.value;
    if (link.state.value === "live" && standing.value !== "in") queueMicrotask(step);
  });
  effect(() => {
    newcomer.value = false;
    if (hall.value?.newcomers_wait && (standing.value === "free" || standing.value === "in")) queueMicrotask(() => void check());
  });
  setInterval(step, CHECK_MS);
  setInterval(() => {
    if (standing.peek() === "holding") step();
  }, TICK_MS);
  lockInTime();
  if (standing.peek() === "arrived") keepFresh(1);
  if (standing.peek() === "returned") setTimeout(() => void takePartAgain(), watchesFirst() * 1000);
}

/** Come in with few: in the next round, or, where my token was shown already, with the next who are let in. */
export function comeIn(): void {
  willing.value = true;
  asked.value = false;
  awaitAt = 0;
  step();
}

let returning = false;

/** Be again who I was, after having watched first, or because I will not wait for that. */
export async function takePartAgain(): Promise<void> {
  if (standing.peek() !== "returned" || returning) return;
  returning = true;
  const there = await comeBack();
  returning = false;
  if (!there) {
    standing.value = "outside";
    return;
  }
  // The connection that came with this page from the issuer ends at a moment of its own.
  link.renew(within(RETURN_S, Math.random()) * 1000);
  standing.value = "arrived";
  keepFresh(1);
}

function step(): void {
  if (link.state.peek() !== "live" || hall.peek()?.phase !== "open") return;
  if (standing.peek() === "holding") hold();
  else if (standing.peek() === "arrived" || (standing.peek() === "free" && !name.peek())) void check();
}

/** The round in which I show my token, when, and when my connection is made anew before that (0: not). Unix seconds. */
interface Chosen {
  round: number;
  at: number;
  again: number;
}

/** It is kept for a reload of this tab. */
function chosen(): Chosen {
  const none = { round: 0, at: 0, again: 0 };
  try {
    return { ...none, ...(JSON.parse(session.getItem(CHOSEN) ?? "null") as Chosen | null) };
  } catch {
    return none;
  }
}

function hold(): void {
  const found = admissionOf();
  const entry = mine.entry;
  if (!found || !entry) return;
  if (found.admission.issuer.key !== b64(entry.spki)) {
    standing.value = "foreign";
    return;
  }
  const now = clock();
  const round = (found.round ?? null) as readonly [number, number, number] | null;
  const times = {
    ...{ now, round, openedAt, signedAt: signedAt() },
    ...{ roundS: found.admission.round_s ?? 120, few: found.few ?? false, willing: willing.peek() },
  };
  const kept = chosen();
  const next = plan({ ...times, chosen: kept.round }, Math.random);
  if (next.do === "await") {
    missed.value = next.missed;
    void wait();
    return;
  }
  const number = round?.[0] ?? 0;
  if (scheduled === number) return;
  scheduled = number;
  asked.value = missed.value = false;
  const fits = kept.round === number && kept.at > now;
  const mineNow = fits ? kept : { round: number, at: now + next.afterS, again: next.againS === null ? 0 : now + next.againS };
  session.setItem(CHOSEN, JSON.stringify(mineNow));
  if (next.rotateS !== null) {
    link.rotate(next.rotateS * 1000);
    // Said again on another connection, a waiting token would tell which one this was.
    if (said === place) place++;
  }
  if (round && mineNow.again > now) setTimeout(() => makeAnew(round), (mineNow.again - now) * 1000);
  clearTimeout(showing);
  showing = setTimeout(() => void arrive(), (mineNow.at - now) * 1000);
}

/** In the middle of the first round all who have not shown their tokens make their connections anew, together. */
function makeAnew([number, begun, ends]: readonly [number, number, number]): void {
  if (standing.peek() !== "holding" || scheduled !== number) return;
  if (link.state.peek() === "live") {
    link.rotate(rotation(begun, ends, Math.random()) * 1000);
    return;
  }
  // Whoever is not connected now would come back alone: the next round is theirs.
  clearTimeout(showing);
  session.removeItem(CHOSEN);
  scheduled = -1;
  missed.value = true;
}

/** Say that I wait for a round. A token that a round has used up is followed by the next. */
async function wait(): Promise<void> {
  if (clock() < awaitAt) return;
  awaitAt = clock() + AGAIN_S;
  // Another tab of this browser has shown the token meanwhile: whoever came in waits for no round.
  if ((await find(code))?.shown) return location.reload();
  const payload = { ...waitingToken(mine.entry!, place), ...(willing.peek() ? { few: true } : {}) };
  if ("prefix" in payload) said = place;
  const ack = await link.send("round:await", payload).catch(() => null);
  const answer = ack?.data as { few?: boolean; spent?: boolean } | undefined;
  if (!ack?.ok || !answer || standing.peek() !== "holding") return;
  asked.value = !willing.peek() && answer.few === true;
  if (answer.spent && "prefix" in payload) {
    place++;
    awaitAt = 0;
  }
}

/** Show the token, and come in again as whoever it makes. */
async function arrive(): Promise<void> {
  const shown = await show(mine.entry!, Date.now() / 1000, willing.peek());
  if ("ticket" in shown) {
    take(shown);
    told = willing.peek();
    refusedWhy.value = "";
    link.renew();
    standing.value = "arrived";
    lockInTime();
    keepFresh(shown.good_for_s);
    return;
  }
  setTimeout(() => (scheduled = -1), within(RETRY_S, Math.random()) * 1000);
  if (shown.code === "token_taken" || shown.code === "bad_token") {
    refusedWhy.value = shown.message;
    standing.value = "outside";
  }
}

/** Once it was shown, and some time after the signing, no script can read my key out of this browser, nor out of this page. */
function lockInTime(): void {
  void find(code).then((entry) => {
    if (!entry?.shown || !entry.privateKey.extractable) return;
    const left = (entry.signedAt ?? 0) + SAVED_WITHIN_S - Date.now() / 1000;
    setTimeout(() => {
      void lock(code, Date.now() / 1000).then(async () => {
        mine.entry = (await find(code)) ?? mine.entry;
      });
    }, Math.max(0, left) * 1000);
  });
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
