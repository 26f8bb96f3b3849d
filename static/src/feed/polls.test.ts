import { expect, test } from "vitest";
import type { PollCard } from "../protocol/types";
import { fold } from "./fold";
import { closedOf, figuresOf, lackOf, openOf, shares, trimmed } from "./polls";

const poll = (id: number, rest: Partial<PollCard> = {}): PollCard => ({ k: "poll", id, question: "언제가 좋습니까?", choices: ["오전", "오후"], open: true, at: 1, ...rest }) as PollCard;
const view = (...polls: PollCard[]): ReturnType<typeof fold> => fold(new Map(), polls as never);

test("a poll that closes stays what it was, closed, and the next one is open", () => {
  const kept = view(poll(3), poll(3, { open: false, closed_at: 9 }), poll(8));
  expect(openOf(kept)?.id).toBe(8);
  expect(closedOf(kept).map((one) => one.id)).toEqual([3]);
  expect(closedOf(fold(kept, [poll(8, { open: false })] as never)).map((one) => one.id)).toEqual([8, 3]);
  expect(openOf(kept)).toBeNull();
});

test("a poll that is gone is gone, and takes nothing else with it", () => {
  const kept = fold(view(poll(3), poll(8)), [{ k: "message", id: 5 }, { k: "gone", id: 3 }]);
  expect([...kept.keys()]).toEqual(["poll:8", "message:5"]);
});

test("of an open poll the figures are the gauge's, about, and only its own", () => {
  expect(figuresOf(poll(3), null)).toBeNull();
  expect(figuresOf(poll(3), { id: 2, voters: 10, counts: [10, 0] })).toBeNull();
  expect(figuresOf(poll(3), { id: 3, voters: 20, counts: [15, 5] })).toEqual({ about: true, voters: 20, counts: [15, 5], shares: [75, 25] });
});

test("of a closed poll the figures are its own; where fewer than five voted there are none, whatever the gauge still says", () => {
  const live = { id: 3, voters: 10, counts: [10, 0] };
  expect(figuresOf(poll(3, { open: false, voters: 7, counts: [3, 4] }), live)).toEqual({ about: false, voters: 7, counts: [3, 4], shares: [43, 57] });
  expect(figuresOf(poll(3, { open: false }), live)).toBeNull();
  expect(figuresOf(poll(3, { open: false, voters: null, counts: null } as never), live)).toBeNull();
});

test("as many votes are as many per cent", () => {
  expect(shares([1, 1, 1])).toEqual([33, 33, 33]);
  expect(shares([2, 1, 0])).toEqual([67, 33, 0]);
  expect(shares([0, 0])).toEqual([0, 0]);
});

test.each([
  [{ question: " ", choices: ["가", "나"] }, "question"],
  [{ question: "?", choices: ["가", " "] }, "choices"],
  [{ question: "?", choices: ["이 안", "나", " 이  안 "] }, "same"],
  [{ question: "?", choices: ["", "가", "", "나"] }, null],
] as const)("%j lacks %s", (draft, lack) => {
  expect(lackOf(draft)).toBe(lack);
});

test("what was left empty is not sent", () => {
  expect(trimmed({ question: " 언제? ", choices: [" 오전", "", "오후 "] })).toEqual({ question: "언제?", choices: ["오전", "오후"] });
});
