import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { allOf, fold, nameOf, oneOf, type Fragment, type View } from "./fold";

interface Cut {
  after: number;
  snapshot: Fragment[];
  frames: Fragment[][];
  end: Record<string, Fragment>;
}

/** Written by the server's own rules: tests/golden/README.md. */
const golden = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../../tests/golden/views.json"), "utf8"),
) as Record<string, Cut[]>;

const plain = (view: View): Record<string, Fragment> => Object.fromEntries(view);
const cuts = Object.entries(golden).flatMap(([role, found]) => found.map((cut) => ({ role, ...cut })));

describe("the golden histories, folded by the pages as the server folds them", () => {
  test("there is one for each role that watches", () => {
    expect(Object.keys(golden).sort()).toEqual(["audience", "director", "host", "overlay"]);
    expect(cuts.some((cut) => cut.frames.flat().some((fragment) => fragment.k === "gone"))).toBe(true);
    expect(cuts.some((cut) => cut.frames.flat().some((fragment) => fragment.k === "window"))).toBe(true);
  });

  test.each(cuts)("$role from seq $after: snapshot and frames give the end", ({ snapshot, frames, end }) => {
    const view = fold(new Map(), snapshot);
    for (const frame of frames) fold(view, frame);
    expect(plain(view)).toEqual(end);
  });

  test.each(cuts)("$role from seq $after: all frames as one give the same end", ({ snapshot, frames, end }) => {
    expect(plain(fold(fold(new Map(), snapshot), frames.flat()))).toEqual(end);
  });

  test.each(cuts)("$role from seq $after: a frame that comes twice changes nothing", ({ snapshot, frames, end }) => {
    const view = fold(new Map(), snapshot);
    for (const frame of frames) fold(fold(view, frame), frame);
    expect(plain(view)).toEqual(end);
  });
});

test("what is gone is gone as whatever it was", () => {
  const view = fold(new Map(), [{ k: "message", id: 3 }, { k: "question", id: 3 }, { k: "poll", id: 3 }, { k: "message", id: 4 }]);
  expect([...fold(view, [{ k: "gone", id: 3 }]).keys()]).toEqual(["message:4"]);
});

test("a window leaves questions and what is held", () => {
  const view = fold(new Map(), [
    { k: "message", id: 1 },
    { k: "message", id: 2, fate: { state: "asked" } },
    { k: "message", id: 3, state: "held" },
    { k: "message", id: 4, shown: 9 },
    { k: "message", id: 5 },
  ]);
  expect([...fold(view, [{ k: "window", floor: 5 }]).keys()]).toEqual(["message:2", "message:3", "message:4", "message:5"]);
});

test("a message that was published late stands where it became visible", () => {
  const view = fold(new Map(), [{ k: "message", id: 1, shown: 7 }, { k: "message", id: 5 }, { k: "hall" }]);
  expect(allOf<Fragment>(view, "message").map((fragment) => fragment.id)).toEqual([5, 1]);
  expect(oneOf<Fragment>(view, "hall")).toEqual({ k: "hall" });
  expect(oneOf<Fragment>(view, "on_air")).toBeUndefined();
  expect(nameOf({ k: "question", id: 2 })).toBe("question:2");
});
