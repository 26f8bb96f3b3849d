/** When to show a token, so that neither order nor time tells whose it is. Pure: clock and chance come from outside. */

export interface Times {
  /** Unix seconds, by the server's clock. */
  now: number;
  /** When the token was signed; it takes part in rounds that began later. */
  signedAt: number;
  /** Number, beginning and end of the newest round. */
  round: readonly [number, number, number] | null;
  /** 0: there are no rounds, tokens may be shown as long as the town hall is open. */
  roundS: number;
  /** Whether the newest round is only for those who will come in with few, and whether I will. */
  few: boolean;
  willing: boolean;
}

export type Plan = { do: "show"; afterS: number } | { do: "await" };

/** Show it after so many seconds, or wait for the next round. `chance`: from 0 up to 1. */
export function plan({ now, signedAt, round, roundS, few, willing }: Times, chance: number): Plan {
  if (roundS === 0) return { do: "show", afterS: 0 };
  if (!round || now > round[2]) return { do: "await" };
  // Who got the entry during this round would stand out in it: they go in the next.
  if (signedAt > round[1]) return { do: "await" };
  if (few && !willing) return { do: "await" };
  const from = Math.max(now, round[1]);
  return { do: "show", afterS: from - now + chance * (round[2] - from) };
}
