/**
 * When to show a token, and on which connections, so that neither order nor time tells whose it is. Pure: clock and chance come
 * from outside. Two operators may note every second of signings, connections and showings (docs/decisions/0052-rotation.md):
 * whatever stood beside the signing by its time is given up, together with everybody's, before the token is shown.
 */

/** Seconds from the beginning of a round in which nobody shows a token: everybody's connection is made anew meanwhile. */
export const QUIET_S = 10;
/** Seconds within which the connection that was dropped at the beginning of a round is made anew. */
export const ROTATE_S = 5;
/** Whoever was signed less than this before a round for late-comers began waits for the next one. */
export const SETTLE_S = 15;
/** A browser that was not here for this long before its connection opened has no connection that its signing could be told by. */
export const FRESH_S = 60;
/** Seconds for which somebody who comes from the issuer with a token that was shown before watches first: least, most. */
export const RETURN_S = [60, 180] as const;
/** Seconds from the opening of a connection until it first says that it waits: least, most; and until it says so again. */
export const AWAIT_S = [1, 20] as const;
export const AGAIN_S = 15;
/** Of a round's length, the most that the two waits at its beginning take. */
const QUIET_PART = 1 / 3;
const ROTATE_PART = 1 / 6;

export interface Times {
  /** Unix seconds, by the server's clock; the others too. */
  now: number;
  /** When the token was signed; it takes part in rounds that began later. */
  signedAt: number;
  /** Number, beginning and end of the newest round. */
  round: readonly [number, number, number] | null;
  /** Length of the first round; 0: there are no rounds, tokens may be shown as long as the town hall is open. */
  roundS: number;
  /** Whether the newest round is only for those who will come in with few, and whether I will. */
  few: boolean;
  willing: boolean;
  /** When the present connection opened, and when this browser was here last before that (0: never). */
  openedAt: number;
  hereBefore: number;
  /** The round for which the connection was made anew, or in which a fresh visit may show (0: none). */
  chosen: number;
}

/** `rotateS`: drop the connection now, and open another after so many seconds; null: it stays. `missed`: I was not there when
 * the round began. */
export type Plan = { do: "show"; afterS: number; rotateS: number | null } | { do: "await"; missed: boolean };

/** Show it after so many seconds, or wait for the next round. `chance`: from 0 up to 1, anew at each call. */
export function plan(times: Times, chance: () => number): Plan {
  const { now, round, roundS, few, willing } = times;
  if (roundS === 0) return { do: "show", afterS: 0, rotateS: null };
  const next: Plan = { do: "await", missed: false };
  if (!round || now > round[2]) return next;
  const [number, begun, ends] = round;
  const late = few || ends - begun < roundS;
  // Who got the entry during this round would stand out in it, and so would who came right before one that few waited for.
  if (times.signedAt > begun - (late ? SETTLE_S : 0)) return next;
  if (few && !willing) return next;
  const rotates = times.chosen !== number && began(times);
  if (times.chosen !== number && !rotates && !fresh(times)) return { do: "await", missed: true };
  const from = Math.max(now, begun + Math.min(QUIET_S, (ends - begun) * QUIET_PART));
  return {
    do: "show",
    afterS: from - now + chance() * Math.max(0, ends - from),
    rotateS: rotates ? chance() * Math.min(ROTATE_S, (ends - begun) * ROTATE_PART) : null,
  };
}

/** Whether this connection stood when the round began, and hears of it when the others do. */
function began({ now, round, openedAt }: Times): boolean {
  // Beginnings are told in whole seconds.
  return openedAt < round![1] + 1 && now <= round![1] + ROTATE_S;
}

function fresh({ openedAt, hereBefore }: Times): boolean {
  return openedAt - hereBefore >= FRESH_S;
}

/**
 * When a connection first says that its holder waits. Whoever was signed a moment ago may not come in with a round that begins now:
 * were they counted, it would hold fewer than it seems to.
 */
export function awaitFrom({ openedAt, signedAt }: Pick<Times, "openedAt" | "signedAt">, chance: number): number {
  return Math.max(openedAt + within(AWAIT_S, chance), signedAt + SETTLE_S);
}

/** A random moment between the least and the most. */
export function within([least, most]: readonly [number, number], chance: number): number {
  return least + chance * (most - least);
}
