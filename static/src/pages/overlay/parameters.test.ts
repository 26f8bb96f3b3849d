import { expect, test } from "vitest";
import { cleanCss, parameters, TABLE, words } from "./parameters";

const of = (query: string) => parameters(new URLSearchParams(query));
const ACCEPTED = ["alignbottom", "transparent", "viewonly", "pinnedonly", "normalize", "24hr", "darkmode", "fadein", "fadeout", "lightmode", "cssb64"];

test("every parameter of the table is understood, and nothing else is", () => {
  const known = new Set(Object.keys(of("")));
  const told = TABLE.map((row) => row.name);
  expect(told.filter((name) => !known.has(name) && !ACCEPTED.includes(name))).toEqual([]);
  expect([...known].filter((name) => !told.includes(name))).toEqual([]);
  expect(new Set(told).size).toBe(told.length);
});

test("a bare name means true, and a no means no", () => {
  expect(of("compact").compact).toBe(true);
  expect(of("compact=1").compact).toBe(true);
  expect(of("compact=0").compact).toBe(false);
  expect(of("").compact).toBe(false);
  expect(of("motion=0").motion).toBe(false);
  expect(of("").motion).toBe(true);
});

test.each(["key", "poll"] as const)("the %s comes with the rest, alone, or never", (name) => {
  expect(of("")[name]).toBe("");
  expect(of(name)[name]).toBe("only");
  expect(of(`${name}=1`)[name]).toBe("only");
  expect(of(`${name}=0`)[name]).toBe("off");
});

test("a value out of its range becomes the nearest one in it, and nonsense the usual one", () => {
  expect(of("scale=99").scale).toBe(4);
  expect(of("scale=x").scale).toBe(1);
  expect(of("limit=0").limit).toBe(1);
  expect(of("fontcolor=red").fontcolor).toBe("");
  expect(of("fontcolor=%23ff0000").fontcolor).toBe("#ff0000");
  expect(of("animatein=spin").animatein).toBe("rise");
  expect(of("lang=fr").lang).toBe("");
});

test("styles of a producer cannot fetch", () => {
  expect(cleanCss("@import url(http://a/b.css); .third{background:url('http://a/b.png')} .x{color:red}")).not.toMatch(/http|@import|url/);
  expect(cleanCss(".x{background:u\\rl(http://a)}")).not.toMatch(/http/);
  expect(of(`cssb64=${btoa(".third{color:red}")}`).css).toBe(".third{color:red}");
  expect(of("cssb64=%%%").css).toBe("");
});

test("texts are shortened by letters and lose their addresses where asked", () => {
  expect(words("가나다라마", of("trim=3"))).toBe("가나다…");
  expect(words("보세요 https://example.org/a?b=1 여기", of("striplinks"))).toBe("보세요 여기");
  expect(words("보세요 https://example.org", of(""))).toBe("보세요 https://example.org");
  expect(words(null, of(""))).toBe("");
});
