/** Keep my entry: a file with the key and the token, for when this browser's storage is lost or another device is used. */
import { b64, joined, message, unb64 } from "./token";
import { find, keep } from "./vault";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;

/** How long after the signing an entry can be saved, in seconds. */
const SAVED_WITHIN_S = 600;

interface Saved {
  townhall: "entry";
  code: string;
  key: string;
  prefix: string;
  signature: string;
  device: JsonWebKey;
}

/** The file's text; null: too late, no script can read the key out any more. */
export async function save(code: string): Promise<string | null> {
  const entry = await find(code);
  if (!entry?.signature || !entry.privateKey.extractable) return null;
  const device = await crypto.subtle.exportKey("jwk", entry.privateKey);
  const saved: Saved = {
    townhall: "entry",
    code: entry.code,
    key: b64(entry.spki),
    prefix: b64(entry.prepared.slice(0, 32)),
    signature: b64(entry.signature),
    device,
  };
  return `${JSON.stringify(saved, null, 2)}\n`;
}

/** From some time after the signing, no script can read the key out of this browser. */
export async function lock(code: string, now: number): Promise<void> {
  const entry = await find(code);
  if (!entry?.privateKey.extractable || now - (entry.signedAt ?? 0) < SAVED_WITHIN_S) return;
  const device = await crypto.subtle.exportKey("jwk", entry.privateKey);
  await keep({ ...entry, privateKey: await crypto.subtle.importKey("jwk", device, CURVE, false, ["sign"]) });
}

/** Take an entry out of a saved file. False: it is none for this town hall and this issuer's key. */
export async function restore(code: string, key: string, text: string): Promise<boolean> {
  try {
    const saved = JSON.parse(text) as Saved;
    if (saved.townhall !== "entry" || saved.code !== code || saved.key !== key) return false;
    const privateKey = await crypto.subtle.importKey("jwk", saved.device, CURVE, false, ["sign"]);
    const deviceKey = joined(Uint8Array.of(4), unb64(saved.device.x!), unb64(saved.device.y!));
    const spki = unb64(key);
    const prepared = joined(unb64(saved.prefix), await message("participant", code, spki, deviceKey));
    // Whether the chat has seen it is not known: it is shown as if not, in a round with others.
    await keep({ code, spki, privateKey, deviceKey, prepared, signature: unb64(saved.signature), signedAt: 0 });
    return true;
  } catch {
    return false;
  }
}
