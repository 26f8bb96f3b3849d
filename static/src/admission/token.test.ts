import { expect, test } from "vitest";
import cases from "../../../tests/golden/token.json";
import { b64, keyHex, keyWords, message, proven, type Purpose, unb64 } from "./token";

test("the bytes are those of the server", async () => {
  const spki = unb64(cases.spki);
  for (const [purpose, told] of Object.entries(cases.messages)) {
    const device = purpose === "waiting" ? new Uint8Array() : unb64(cases.device_key);
    expect(b64(await message(purpose as Purpose, cases.code, spki, device))).toBe(told);
  }
  expect(b64(await proven(cases.code, unb64(cases.nonce), unb64(cases.prepared)))).toBe(cases.proven);
  expect(await keyHex(spki)).toBe(cases.hex);
  expect(await keyWords(spki)).toEqual(cases.words);
});
