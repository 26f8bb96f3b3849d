import { expect, test } from "vitest";
import { y } from "./curve";
import { b64, unb64 } from "./token";

test("half a point of the curve and a flag are the whole of it", async () => {
  for (let times = 0; times < 20; times++) {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const key = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const whole = unb64(key.y!);
    expect(b64(y(unb64(key.x!), Boolean(whole.at(-1)! & 1)))).toBe(key.y);
    expect(b64(y(unb64(key.x!), !(whole.at(-1)! & 1)))).not.toBe(key.y);
  }
});

test("where there is no point it says so", () => {
  expect(() => y(new Uint8Array(32).fill(255), true)).toThrow(RangeError);
  expect(() => y(Uint8Array.of(...new Uint8Array(31), 1), true)).toThrow(RangeError);
});
