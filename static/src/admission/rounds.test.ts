import { expect, test } from "vitest";
import { AGAIN_S, AWAIT_S, awaitFrom, plan, QUIET_S, RETURN_S, ROTATE_S, SETTLE_S, within, type Times } from "./rounds";

const FIRST = [7, 1_000, 1_120] as const;
const LATE = [9, 2_000, 2_030] as const;
const WATCHED: Times = { now: 1_000, signedAt: 500, round: FIRST, roundS: 120, few: false, willing: false, openedAt: 510, chosen: 0 };
const AWAITS = { do: "await", missed: false };
const MISSED = { do: "await", missed: true };

/** Chances that are told in advance. */
function chances(...values: number[]): () => number {
  return () => values.shift()!;
}

test("the figures are those that the adversary's model has", () => {
  expect([QUIET_S, ROTATE_S, SETTLE_S, RETURN_S, AWAIT_S, AGAIN_S]).toEqual([10, 5, 15, [60, 180], [1, 20], 15]);
});

test("whoever stood there when the round began drops the connection at once and shows after the quiet", () => {
  expect(plan(WATCHED, chances(0, 0))).toEqual({ do: "show", afterS: 10, rotateS: 0, againS: null });
  expect(plan(WATCHED, chances(0.25, 0.5))).toEqual({ do: "show", afterS: 37.5, rotateS: 2.5, againS: null });
  expect(plan({ ...WATCHED, now: 1_002 }, chances(0, 1))).toEqual({ do: "show", afterS: 8, rotateS: 5, againS: null });
});

test("whoever would show in the second half makes the connection anew once more, with all who have not shown", () => {
  expect(plan(WATCHED, chances(0.5, 0, 0.5))).toEqual({ do: "show", afterS: 70, rotateS: 2.5, againS: 60 });
  expect(plan(WATCHED, chances(0.44, 1, 0))).toEqual({ do: "show", afterS: 120, rotateS: 0, againS: 60 });
  const late = { ...WATCHED, now: 2_000, round: LATE };
  expect(plan(late, chances(1, 0))).toEqual({ do: "show", afterS: 30, rotateS: 0, againS: null });
});

test("the connection is made anew before anybody may show", () => {
  for (const length of [1, 4, 12, 30, 120, 3_600]) {
    const quiet = Math.min(QUIET_S, length / 3);
    const [soonest, latest] = [0, 1].map((value) => plan({ ...WATCHED, round: [7, 1_000, 1_000 + length], roundS: length }, () => value));
    if (soonest?.do !== "show" || latest?.do !== "show") throw new Error("it has to be shown");
    expect(soonest.afterS).toBeGreaterThanOrEqual(quiet - 1e-6);
    expect(latest.rotateS).toBeLessThanOrEqual(quiet / 2 + 1e-6);
    expect(latest.afterS - latest.againS!).toBeGreaterThanOrEqual(quiet - 1e-6);
  }
});

test("once made anew it stays, also over a reload, and the token is shown in this round", () => {
  const reloaded = { ...WATCHED, now: 1_020, chosen: 7, openedAt: 1_018 };
  expect(plan(reloaded, chances(0))).toEqual({ do: "show", afterS: 0, rotateS: null, againS: null });
  expect(plan({ ...reloaded, now: 1_004 }, chances(0))).toEqual({ do: "show", afterS: 6, rotateS: null, againS: null });
  expect(plan({ ...reloaded, now: 1_070, chosen: 6 }, chances(0.5))).toEqual(MISSED);
});

test("whoever was not connected at the beginning comes in with the second half of the first round, after all have made theirs anew", () => {
  expect(plan({ ...WATCHED, now: 1_020, openedAt: 1_019 }, chances(0))).toEqual({ do: "show", afterS: 50, rotateS: null, againS: 40 });
  expect(plan({ ...WATCHED, now: 1_060, openedAt: 1_019 }, chances(1))).toEqual({ do: "show", afterS: 60, rotateS: null, againS: 0 });
  expect(plan({ ...WATCHED, now: 1_061, openedAt: 1_019 }, chances())).toEqual(MISSED);
  expect(plan({ ...WATCHED, now: 2_004, openedAt: 2_003, round: LATE }, chances())).toEqual(MISSED);
});

test("a connection that opened in the second of the beginning is given up as the others are", () => {
  const late = { ...WATCHED, round: LATE };
  expect(plan({ ...late, now: 2_001, openedAt: 2_000.9 }, chances(0, 0))).toMatchObject({ do: "show", rotateS: 0 });
  expect(plan({ ...late, now: 2_001, openedAt: 2_001 }, chances())).toEqual(MISSED);
});

test("whoever hears of the beginning when the others have long made theirs anew waits", () => {
  const late = { ...WATCHED, round: LATE };
  expect(plan({ ...late, now: 2_005 }, chances(0, 0))).toMatchObject({ do: "show" });
  expect(plan({ ...late, now: 2_006 }, chances(0, 0))).toEqual(MISSED);
});

test("whoever got it during the round, or after, waits for the next", () => {
  expect(plan({ ...WATCHED, now: 1_050, signedAt: 1_040 }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, now: 1_200 }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, now: 900, round: null }, chances())).toEqual(AWAITS);
});

test("whoever got it right before a round for late-comers waits for the next; before the first one nobody has to", () => {
  const late = { ...WATCHED, now: 2_000, round: LATE, openedAt: 1_990 };
  expect(plan({ ...late, signedAt: 1_986 }, chances())).toEqual(AWAITS);
  expect(plan({ ...late, signedAt: 1_985 }, chances(0, 0))).toEqual({ do: "show", afterS: 10, rotateS: 0, againS: null });
  expect(plan({ ...late, signedAt: 1_986, few: true, willing: true, round: [9, 2_000, 2_120] }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, signedAt: 999, openedAt: 1_000 }, chances(0, 0))).toMatchObject({ do: "show" });
});

test("a round for few is for those who said that they will come in with few, before it began", () => {
  const few = { ...WATCHED, now: 2_000, round: LATE, few: true };
  expect(plan(few, chances())).toEqual(AWAITS);
  expect(plan({ ...few, willing: true }, chances(0, 1))).toEqual({ do: "show", afterS: 10, rotateS: 5, againS: null });
  expect(plan({ ...few, willing: true, now: 2_010 }, chances())).toEqual(MISSED);
  expect(plan({ ...few, few: false, willing: true }, chances(0, 1))).toMatchObject({ do: "show" });
});

test("without rounds it is shown at once", () => {
  expect(plan({ ...WATCHED, now: 1, signedAt: 1, round: null, roundS: 0 }, chances())).toEqual({ do: "show", afterS: 0, rotateS: null, againS: null });
});

test("whoever waits says so some time after coming, and no sooner than a round that begins then would take them", () => {
  expect([0, 0.5, 1].map((chance) => awaitFrom({ openedAt: 1_000, signedAt: 500 }, chance))).toEqual([1_001, 1_010.5, 1_020]);
  const early = awaitFrom({ openedAt: 1_000, signedAt: 999 }, 0);
  expect(early).toBe(999 + SETTLE_S + 2);
  expect(plan({ ...WATCHED, now: early, signedAt: 999, openedAt: 1_000, round: [9, early, early + 30] }, chances(0, 0))).toMatchObject({ do: "show" });
});

test("a moment between the least and the most", () => {
  expect([0, 0.5, 1].map((chance) => within(RETURN_S, chance))).toEqual([60, 120, 180]);
});
