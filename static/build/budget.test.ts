import { expect, test } from "vitest";
import { firstLoad, type Part } from "./budget";

const noise = (length: number): string => Array.from({ length }, (_, i) => Math.sin(i + length).toString(36).slice(3, 5)).join("");
const part = (bytes: string, brings: string[] = [], modules: string[] = []): Part => ({ bytes, brings, modules });
const weigh = (parts: Record<string, Part>, later: string[] = []): number => firstLoad(new Map(Object.entries(parts)), "entry.js", later);

test("what is brought along counts, at once or later, and once only", () => {
  const alone = weigh({ "entry.js": part(noise(500)) });
  const both = weigh({ "entry.js": part(noise(500), ["a.js", "b.css"]), "a.js": part(noise(900), ["b.css"]), "b.css": part(noise(700)) });
  expect(both).toBeGreaterThan(alone + 900 + 700);
  expect(both).toBeLessThan(alone + 2 * (900 + 700));
});

test("the video player does not count, nor what it alone brings", () => {
  const without = weigh({ "entry.js": part(noise(500)) });
  const parts = { "entry.js": part(noise(500), ["v.js"]), "v.js": part(noise(900), ["w.js"], ["/n/hls.js/dist/hls.mjs"]), "w.js": part(noise(900)) };
  expect(weigh(parts, ["/hls.js/"])).toBe(without);
  expect(weigh(parts)).toBeGreaterThan(without);
});

test("of two languages the heavier counts", () => {
  const text = (language: string, length: number): Part => part(noise(length), [], [`/p/catalogue/${language}/common.json`]);
  const both = weigh({ "entry.js": part("", ["ko.js", "en.js"]), "ko.js": text("ko", 900), "en.js": text("en", 400) });
  expect(both).toBe(weigh({ "entry.js": part("", ["ko.js"]), "ko.js": text("ko", 900) }));
});

test("a file that is named but not there is an error, not nothing", () => {
  expect(() => weigh({ "entry.js": part("", ["gone.js"]) })).toThrow("gone.js");
});
