import { expect, test } from "vitest";
import { AGAIN_S, AWAIT_S, awaitFrom, FRESH_S, plan, QUIET_S, RETURN_S, ROTATE_S, SETTLE_S, within, type Times } from "./rounds";

const FIRST = [7, 1_000, 1_120] as const;
const LATE = [9, 2_000, 2_030] as const;
const WATCHED: Times = { now: 1_000, signedAt: 500, round: FIRST, roundS: 120, few: false, willing: false, openedAt: 510, hereBefore: 500, chosen: 0 };
const AWAITS = { do: "await", missed: false };
const MISSED = { do: "await", missed: true };

/** Chances that are told in advance. */
function chances(...values: number[]): () => number {
  return () => values.shift()!;
}

test("the figures are those that the adversary's model has", () => {
  expect([QUIET_S, ROTATE_S, SETTLE_S, FRESH_S, RETURN_S, AWAIT_S, AGAIN_S]).toEqual([10, 5, 15, 60, [60, 180], [1, 20], 15]);
});

test("whoever stood there when the round began drops the connection at once and shows after the quiet", () => {
  expect(plan(WATCHED, chances(0, 0))).toEqual({ do: "show", afterS: 10, rotateS: 0 });
  expect(plan(WATCHED, chances(0.5, 0.5))).toEqual({ do: "show", afterS: 65, rotateS: 2.5 });
  expect(plan({ ...WATCHED, now: 1_002 }, chances(0.5, 1))).toEqual({ do: "show", afterS: 63, rotateS: 5 });
});

test("the connection is made anew before anybody may show", () => {
  for (const length of [1, 4, 12, 30, 120, 3_600]) {
    const found = plan({ ...WATCHED, round: [7, 1_000, 1_000 + length], roundS: length }, chances(0, 1));
    if (found.do !== "show" || found.rotateS === null) throw new Error("it has to be shown");
    expect(found.rotateS).toBeLessThan(found.afterS / 2 + 1e-6);
    expect(found.afterS).toBeLessThan(length / 3 + 1e-6);
  }
});

test("once made anew it stays, also over a reload, and the token is shown in this round", () => {
  const reloaded = { ...WATCHED, now: 1_060, chosen: 7, openedAt: 1_058, hereBefore: 1_057 };
  expect(plan(reloaded, chances(0.5))).toEqual({ do: "show", afterS: 30, rotateS: null });
  expect(plan({ ...reloaded, now: 1_004 }, chances(0))).toEqual({ do: "show", afterS: 6, rotateS: null });
  expect(plan({ ...reloaded, chosen: 6 }, chances(0.5))).toEqual(MISSED);
});

test("whoever was not connected at the beginning waits, unless this is a visit that nothing came before", () => {
  expect(plan({ ...WATCHED, now: 1_020, openedAt: 1_019, hereBefore: 990 }, chances())).toEqual(MISSED);
  expect(plan({ ...WATCHED, now: 1_020, openedAt: 1_019, hereBefore: 1_019 - 59 }, chances())).toEqual(MISSED);
  expect(plan({ ...WATCHED, now: 1_020, openedAt: 1_019, hereBefore: 1_019 - 60 }, chances(0.5))).toEqual({ do: "show", afterS: 50, rotateS: null });
  expect(plan({ ...WATCHED, now: 1_004, openedAt: 1_003, hereBefore: 0 }, chances(0))).toEqual({ do: "show", afterS: 6, rotateS: null });
});

test("a connection that opened in the second of the beginning is given up as the others are", () => {
  expect(plan({ ...WATCHED, now: 1_001, openedAt: 1_000.9, hereBefore: 990 }, chances(0, 0))).toMatchObject({ do: "show", rotateS: 0 });
  expect(plan({ ...WATCHED, now: 1_001, openedAt: 1_001, hereBefore: 990 }, chances())).toEqual(MISSED);
});

test("whoever hears of the beginning when the others have long made theirs anew waits", () => {
  expect(plan({ ...WATCHED, now: 1_005 }, chances(0, 0))).toMatchObject({ do: "show" });
  expect(plan({ ...WATCHED, now: 1_006 }, chances(0, 0))).toEqual(MISSED);
});

test("whoever got it during the round, or after, waits for the next", () => {
  expect(plan({ ...WATCHED, now: 1_050, signedAt: 1_040 }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, now: 1_200 }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, now: 900, round: null }, chances())).toEqual(AWAITS);
});

test("whoever got it right before a round for late-comers waits for the next; before the first one nobody has to", () => {
  const late = { ...WATCHED, now: 2_000, round: LATE, openedAt: 1_990 };
  expect(plan({ ...late, signedAt: 1_986 }, chances())).toEqual(AWAITS);
  expect(plan({ ...late, signedAt: 1_985 }, chances(0, 0))).toEqual({ do: "show", afterS: 10, rotateS: 0 });
  expect(plan({ ...late, signedAt: 1_986, few: true, willing: true, round: [9, 2_000, 2_120] }, chances())).toEqual(AWAITS);
  expect(plan({ ...WATCHED, signedAt: 999, openedAt: 1_000 }, chances(0, 0))).toMatchObject({ do: "show" });
});

test("a round for few is for those who said that they will come in with few, before it began", () => {
  const few = { ...WATCHED, now: 2_000, round: LATE, few: true };
  expect(plan(few, chances())).toEqual(AWAITS);
  expect(plan({ ...few, willing: true }, chances(0, 1))).toEqual({ do: "show", afterS: 10, rotateS: 5 });
  expect(plan({ ...few, willing: true, now: 2_010 }, chances())).toEqual(MISSED);
  expect(plan({ ...few, few: false, willing: true }, chances(0, 1))).toMatchObject({ do: "show" });
});

test("without rounds it is shown at once", () => {
  expect(plan({ ...WATCHED, now: 1, signedAt: 1, round: null, roundS: 0 }, chances())).toEqual({ do: "show", afterS: 0, rotateS: null });
});

test("whoever waits says so some time after coming, and no sooner than a round that begins then would take them", () => {
  expect([0, 0.5, 1].map((chance) => awaitFrom({ openedAt: 1_000, signedAt: 500 }, chance))).toEqual([1_001, 1_010.5, 1_020]);
  const early = awaitFrom({ openedAt: 1_000, signedAt: 999 }, 0);
  expect(early).toBe(999 + SETTLE_S);
  expect(plan({ ...WATCHED, now: early, signedAt: 999, openedAt: 1_000, round: [9, early, early + 30] }, chances(0, 0))).toMatchObject({ do: "show" });
});

test("a moment between the least and the most", () => {
  expect([0, 0.5, 1].map((chance) => within(RETURN_S, chance))).toEqual([60, 120, 180]);
});
