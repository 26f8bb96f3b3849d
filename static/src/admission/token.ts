/** What a token says, byte by byte: the same as protocol/credentials.py, tested against it by the same file. */
const text = new TextEncoder();

export const KEY_BYTES = 384;
const PURPOSES = { participant: 1, ballot: 2, waiting: 3 } as const;
export type Purpose = keyof typeof PURPOSES;
const FINGERPRINT_ROUNDS = 100_000;
const FINGERPRINT_PAIRS = 6;

export type Bytes = Uint8Array<ArrayBuffer>;

export function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function b64(raw: Uint8Array): string {
  let letters = "";
  for (const byte of raw) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a base64url text. Throws where it is none. */
export function unb64(encoded: string): Bytes {
  const letters = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

async function sha256(raw: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
}

/** A town hall and its issuer's key, as a hash. */
export async function hallOf(code: string, spki: Bytes): Promise<Bytes> {
  return sha256(joined(text.encode(`${code}\0`), await sha256(spki)));
}

/** What the issuer signs without seeing it, still without its random prefix. */
export async function message(purpose: Purpose, code: string, spki: Bytes, deviceKey: Bytes): Promise<Bytes> {
  return joined(text.encode("TH1"), Uint8Array.of(PURPOSES[purpose]), await hallOf(code, spki), await sha256(deviceKey));
}

/** What the device key signs to show that it is the one in the token. */
export async function proven(code: string, nonce: Bytes, prepared: Bytes): Promise<Bytes> {
  return joined(text.encode(`TH1 redeem\0${code}\0`), nonce, await sha256(prepared));
}

/** The issuer's key for comparing: SHA-256 in groups of four. */
export async function keyHex(spki: Bytes): Promise<string> {
  const hex = Array.from(await sha256(spki), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.match(/.{4}/g)!.join(" ");
}

/** The issuer's key for reading out: places of six pairs of words in the pseudonyms' lists. */
export async function keyWords(spki: Bytes): Promise<[number, number][]> {
  const key = await crypto.subtle.importKey("raw", spki, "PBKDF2", false, ["deriveBits"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt: text.encode("TH1 fingerprint"), iterations: FINGERPRINT_ROUNDS };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(derivation, key, FINGERPRINT_PAIRS * 16));
  return Array.from({ length: FINGERPRINT_PAIRS }, (_, pair) => [bits[2 * pair]! % 64, bits[2 * pair + 1]! % 64]);
}
