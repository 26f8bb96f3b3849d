import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hints } from "./hints";

const cases = JSON.parse(readFileSync("../tests/golden/hints.json", "utf8")) as { text: string; hints: string[] }[];

test.each(cases)("$text → $hints", ({ text, hints: wanted }) => {
  expect(hints(text)).toEqual(wanted);
});

test.each(["0".repeat(300), "저만 ".repeat(75), "a@".repeat(150), "사번".repeat(150), "as the only ".repeat(25), "01".repeat(150)])("is quick on %s", (text) => {
  for (let times = 0; times < 200; times++) hints(text);
  expect(hints(text).length).toBeLessThanOrEqual(3);
});
