import { beforeEach, expect, test } from "vitest";
import { Asked, GOOD_FOR_MS } from "./pressed";

const now = { ms: 1_000_000 };
const asked = (code = "ABCD"): Asked => new Asked(code, () => now.ms);
const fragment = (ask: string, rest = "b=BLINDED&w=W1,W2"): URLSearchParams => new URLSearchParams(`ask=${ask}&${rest}`);
beforeEach(() => sessionStorage.clear());

test("what comes back with the ask of a press is to be signed, once", () => {
  const ask = asked().press({ kind: "invitation", proof: "CODE" });
  expect(ask).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(asked().brought(fragment(ask))).toEqual({ kind: "invitation", proof: "CODE", blinded: "BLINDED", waiting: ["W1", "W2"] });
  expect(asked().brought(fragment(ask))).toBeNull();
});

test("what a link brings is nobody's press", () => {
  expect(asked().brought(new URLSearchParams("b=EVIL"))).toBeNull();
  expect(asked().brought(fragment("x", "b=EVIL"))).toBeNull();
  const ask = asked().press({ kind: "open", proof: "p" });
  expect(asked().brought(new URLSearchParams("b=EVIL"))).toBeNull();
  expect(asked("ELSE").brought(fragment(ask))).toBeNull();
  // A guess uses the press up, so that there is one.
  expect(asked().brought(fragment("guess", "b=EVIL"))).toBeNull();
  expect(asked().brought(fragment(ask))).toBeNull();
});

test("a press of long ago is none, by either clock", () => {
  for (const after of [GOOD_FOR_MS + 1, -GOOD_FOR_MS - 1]) {
    const ask = asked().press({ kind: "open", proof: "p" });
    now.ms += after;
    expect(asked().brought(fragment(ask))).toBeNull();
  }
  const ask = asked().press({ kind: "open", proof: "p" });
  now.ms += GOOD_FOR_MS;
  expect(asked().brought(fragment(ask))).not.toBeNull();
});

test("what is no base64url is not to be signed", () => {
  for (const rest of ["", "b=", "b=<a>", "b=GOOD&w=<a>", `b=${"a".repeat(1_001)}`]) {
    expect(asked().brought(fragment(asked().press({ kind: "open", proof: "p" }), rest))).toBeNull();
  }
});

test("a sign-in that this tab began ends here, once; any other is nobody's", () => {
  const brought = { blinded: "BLINDED", waiting: [] };
  expect(asked().returned("x")).toBeNull();
  const tab = asked().leave(brought);
  expect(asked().returned(null)).toBeNull();
  expect(asked().returned(tab)).toEqual(brought);
  expect(asked().returned(tab)).toBeNull();
  const late = asked().leave(brought);
  now.ms += GOOD_FOR_MS + 1;
  expect(asked().returned(late)).toBeNull();
});

test("a new press forgets what an older one brought", () => {
  const tab = asked().leave({ blinded: "OLD", waiting: [] });
  asked().press({ kind: "oidc", proof: "" });
  expect(asked().returned(tab)).toBeNull();
});
