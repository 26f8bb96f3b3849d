import { expect, test } from "vitest";
import cases from "../../../tests/golden/token.json";
import { b64, keyHex, keyWords, message, proven, unb64 } from "./token";

test("the bytes are those of the server", async () => {
  const spki = unb64(cases.spki);
  for (const [purpose, told] of Object.entries(cases.messages)) {
    expect(b64(await message(purpose as "participant" | "ballot", cases.code, spki, unb64(cases.device_key)))).toBe(told);
  }
  expect(b64(await proven(cases.code, unb64(cases.nonce), unb64(cases.prepared)))).toBe(cases.proven);
  expect(await keyHex(spki)).toBe(cases.hex);
  expect(await keyWords(spki)).toEqual(cases.words);
});
