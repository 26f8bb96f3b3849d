import { expect, test } from "vitest";
import { backoff } from "./backoff";

test("waiting doubles from half a second, and never passes twenty", () => {
  const longest = Array.from({ length: 12 }, (_, attempt) => backoff(attempt, () => 1));
  expect(longest.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
  expect(Math.max(...longest)).toBe(20_000);
  expect(backoff(10_000, () => 1)).toBe(20_000);
});

test("it is spread over half of its length, so that nobody marches in step", () => {
  expect(backoff(3, () => 0)).toBe(2000);
  expect(backoff(3, () => 0.5)).toBe(3000);
});
