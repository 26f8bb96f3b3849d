import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "./announcer";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function announcer(): { announcer: Announcer; said: string[] } {
  const said: string[] = [];
  return { announcer: new Announcer((words) => said.push(words), (count) => `${count} new messages`), said };
}

test("a few texts are read as they are, once, after a moment", () => {
  const { announcer: one, said } = announcer();
  one.add("first");
  one.add("second");
  expect(said).toEqual([]);
  vi.runAllTimers();
  expect(said).toEqual(["first. second"]);
});

test("a flood is a digest, and what comes after it is counted anew", () => {
  const { announcer: one, said } = announcer();
  for (let number = 0; number < 14; number += 1) one.add(`text ${number}`);
  vi.runAllTimers();
  one.add("after it");
  vi.runAllTimers();
  expect(said).toEqual(["14 new messages", "after it"]);
});

test("paused, it says nothing", () => {
  const { announcer: one, said } = announcer();
  one.paused = true;
  one.add("unheard");
  vi.runAllTimers();
  expect(said).toEqual([]);
});
