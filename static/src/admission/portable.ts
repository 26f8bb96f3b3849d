/** Keep my entry: as a file, or printed as a code, for when this browser's storage is lost or another device is used. */
import { y } from "./curve";
import { issuerKey, PSS } from "./issuer_key";
import { read, written, type Read } from "./letters";
import { b64, hallOf, joined, KEY_BYTES, message, unb64, type Bytes } from "./token";
import { find, keep } from "./vault";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;

interface Saved {
  townhall: "entry";
  code: string;
  key: string;
  prefix: string;
  signature: string;
  device: JsonWebKey;
  /** What waiting for a round is said with. */
  waiting?: { prepared: string; signature: string }[];
  /** The chat has seen it: showing it again tells nothing, and need not wait for others. */
  shown?: boolean;
}

/**
 * The code's bytes: version and flags ‖ 4 of the town hall and its key ‖ prefix ‖ the device key, d and x ‖ the issuer's signature.
 * What is y follows from x and one flag.
 */
const HALL_BYTES = 4;
const PART_BYTES = 32;
const CODE_BYTES = 1 + HALL_BYTES + 3 * PART_BYTES + KEY_BYTES;
const VERSION = 1 << 2;
const ODD = 1;
const SHOWN = 2;
/** At the head of what the picture says. All its letters are of those that a QR code packs most closely. */
const PICTURE = "TOWNHALL-ENTRY:";

/** Out: what is to be kept; null: too late, no script can read the key out any more. */
async function taken(code: string): Promise<Saved | null> {
  const entry = await find(code);
  if (!entry?.signature || !entry.privateKey.extractable) return null;
  return {
    townhall: "entry",
    code: entry.code,
    key: b64(entry.spki),
    prefix: b64(entry.prepared.slice(0, PART_BYTES)),
    signature: b64(entry.signature),
    device: await crypto.subtle.exportKey("jwk", entry.privateKey),
    ...(entry.waiting && { waiting: entry.waiting.map((one) => ({ prepared: b64(one.prepared), signature: b64(one.signature) })) }),
    ...(entry.shown && { shown: true }),
  };
}

/** Whether it can still be kept elsewhere. */
export async function savable(code: string): Promise<boolean> {
  const entry = await find(code);
  return Boolean(entry?.signature && entry.privateKey.extractable);
}

/** The file's text; null: too late. */
export async function save(code: string): Promise<string | null> {
  const saved = await taken(code);
  return saved && `${JSON.stringify(saved, null, 2)}\n`;
}

/**
 * The code to print: as letters to be typed, and as what its picture says; null: too late. That is no address: whatever a phone's
 * camera makes of it, nothing is opened with the entry in it, and no history has it.
 */
export async function print(code: string): Promise<{ rows: string[]; picture: string } | null> {
  const saved = await taken(code);
  if (!saved) return null;
  const { d, x, y: other } = saved.device;
  const odd = unb64(other!).at(-1)! & 1;
  const first = VERSION | (odd ? ODD : 0) | (saved.shown ? SHOWN : 0);
  const hall = (await hallOf(code, unb64(saved.key))).slice(0, HALL_BYTES);
  const bytes = joined(Uint8Array.of(first), hall, unb64(saved.prefix), unb64(d!), unb64(x!), unb64(saved.signature));
  const rows = written(bytes);
  return { rows, picture: PICTURE + rows.join("").replaceAll(" ", "") };
}

/** Take an entry out of a saved file. False: it is none for this town hall and this issuer's key. */
export async function restore(code: string, key: string, text: string): Promise<boolean> {
  try {
    const saved = JSON.parse(text) as Saved;
    return saved.townhall === "entry" && saved.code === code && saved.key === key && (await bring(saved));
  } catch {
    return false;
  }
}

/** What somebody has typed of a printed code so far, or what a camera saw. */
export function typed(text: string): Read {
  const from = text.trimStart().toUpperCase();
  return read(from.startsWith(PICTURE) ? from.slice(PICTURE.length) : text, CODE_BYTES);
}

/** Take an entry out of a printed code's bytes. False: it is none for this town hall and this issuer's key. */
export async function restoreCode(code: string, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const parts = [1, HALL_BYTES, PART_BYTES, PART_BYTES, PART_BYTES, KEY_BYTES];
    let at = 0;
    const [first, hall, prefix, d, x, signature] = parts.map((size) => bytes.slice(at, (at += size))) as [Bytes, Bytes, Bytes, Bytes, Bytes, Bytes];
    const flags = first[0]!;
    const ours = (await hallOf(code, unb64(key))).slice(0, HALL_BYTES);
    if (bytes.length !== CODE_BYTES || (flags & ~(ODD | SHOWN)) !== VERSION || b64(hall) !== b64(ours)) return false;
    const device = { kty: "EC", crv: "P-256", d: b64(d), x: b64(x), y: b64(y(x, Boolean(flags & ODD))) };
    return await bring({ townhall: "entry", code, key, prefix: b64(prefix), signature: b64(signature), device, shown: Boolean(flags & SHOWN) });
  } catch {
    return false;
  }
}

/** Into this browser. False: the issuer has not signed it. */
async function bring({ code, key, prefix, signature, device, shown = false, waiting = [] }: Saved): Promise<boolean> {
  const spki = unb64(key);
  const deviceKey = joined(Uint8Array.of(4), unb64(device.x!), unb64(device.y!));
  const prepared = joined(unb64(prefix), await message("participant", code, spki, deviceKey));
  const signed = unb64(signature);
  if (!(await crypto.subtle.verify(PSS, await issuerKey(spki), signed, prepared))) return false;
  const privateKey = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", d: device.d!, x: device.x!, y: device.y! }, CURVE, false, ["sign"]);
  const tokens = waiting.map((one) => ({ prepared: unb64(one.prepared), signature: unb64(one.signature) }));
  // Where it is not known whether the chat has seen it, it is shown as if not, in a round with others.
  await keep({ code, spki, privateKey, deviceKey, prepared, signature: signed, signedAt: shown ? 0 : Date.now() / 1000, shown, ...(tokens.length && { waiting: tokens }) });
  return true;
}
