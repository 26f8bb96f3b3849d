import { expect, test } from "vitest";
import { plan } from "./rounds";

const round = [7, 1_000, 1_120] as const;

test("a token from before is shown at a random moment of the round", () => {
  const times = { now: 1_000, signedAt: 500, round, roundS: 120, few: false, willing: false };
  expect(plan(times, 0)).toEqual({ do: "show", afterS: 0 });
  expect(plan(times, 0.5)).toEqual({ do: "show", afterS: 60 });
  expect(plan({ ...times, now: 1_100 }, 0.5)).toEqual({ do: "show", afterS: 10 });
});

test("whoever got it during the round, or after, waits for the next", () => {
  expect(plan({ now: 1_050, signedAt: 1_040, round, roundS: 120, few: false, willing: false }, 0.1)).toEqual({ do: "await" });
  expect(plan({ now: 1_200, signedAt: 500, round, roundS: 120, few: false, willing: false }, 0.1)).toEqual({ do: "await" });
  expect(plan({ now: 900, signedAt: 500, round: null, roundS: 120, few: false, willing: false }, 0.1)).toEqual({ do: "await" });
});

test("without rounds it is shown at once", () => {
  expect(plan({ now: 1, signedAt: 1, round: null, roundS: 0, few: false, willing: false }, 0.9)).toEqual({ do: "show", afterS: 0 });
});

test("a round for few is for those who said that they will come in with few", () => {
  const times = { now: 1_000, signedAt: 500, round, roundS: 120, few: true, willing: false };
  expect(plan(times, 0.5)).toEqual({ do: "await" });
  expect(plan({ ...times, willing: true }, 0.5)).toEqual({ do: "show", afterS: 60 });
  expect(plan({ ...times, few: false, willing: true }, 0.5)).toEqual({ do: "show", afterS: 60 });
});
