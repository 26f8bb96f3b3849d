/** From nobody to a participant, in the browser: make a token, have it signed unseen, show it, come back with it. */
import { api } from "../ui/api";
import { issuerKey } from "./issuer_key";
import { issuerOrigin } from "./issuer_origin";
import { b64, joined, message, proven, unb64 } from "./token";
import { lock } from "./portable";
import { find, keep, type Entry } from "./vault";

const RANDOM_BYTES = 32;
const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const PROOF = { name: "ECDSA", hash: "SHA-256" } as const;

/** Blinding needs a library of big numbers: loaded when somebody gets an entry, never to watch or to come back. */
async function blinding() {
  const { RSABSSA } = await import("@cloudflare/blindrsa-ts");
  return RSABSSA.SHA384.PSS.Randomized();
}

/** Whether this browser can: cryptography needs https (or localhost), and the key a place to be kept. */
export function able(): boolean {
  return typeof crypto.subtle !== "undefined" && typeof indexedDB !== "undefined";
}

/**
 * Begin an entry. Out: where to go for the signature; everything that identifies the token stays in the fragment, blinded.
 * Its key can be read out until it is locked (portable.ts), so that it can be saved.
 */
export async function begin(code: string, issuer: { url: string; key: string }): Promise<string> {
  if (issuerOrigin(issuer.url) === "") throw new TypeError("not an origin");
  const spki = unb64(issuer.key);
  let entry = await find(code);
  // The same blinded value again, where one is under way: the issuer answers it again, and refuses another.
  if (!entry?.blinded || b64(entry.spki) !== issuer.key) {
    const pair = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
    const deviceKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const suite = await blinding();
    const prepared = joined(suite.prepare(await message("participant", code, spki, deviceKey)));
    const { blindedMsg, inv } = await suite.blind(await issuerKey(spki), prepared);
    entry = { code, spki, privateKey: pair.privateKey, deviceKey, prepared, blinded: joined(blindedMsg), inverse: joined(inv) };
    await keep(entry);
  }
  return `${issuerOrigin(issuer.url)}/admit/${encodeURIComponent(code)}#b=${b64(entry.blinded!)}`;
}

/** Take the issuer's answer. False: it is not a signature by the key that stands in the log, or there was nothing to sign. */
export async function complete(code: string, key: string, answer: string, now: number): Promise<boolean> {
  const entry = await find(code);
  if (!entry?.inverse || b64(entry.spki) !== key) return false;
  try {
    const suite = await blinding();
    const signature = await suite.finalize(await issuerKey(entry.spki), entry.prepared, unb64(answer), entry.inverse);
    const { blinded: _, inverse: __, ...rest } = entry;
    // What links the signing to the token is forgotten here, and never was anywhere else.
    await keep({ ...rest, signature: joined(signature), signedAt: now });
    return true;
  } catch {
    return false;
  }
}

export interface Shown {
  ticket: string;
  good_for_s: number;
}

/** Show the token. `few`: I will come in with few. Out: a participant's ticket, or the code and sentence of why not. */
export async function show(entry: Entry, now: number, few = false): Promise<Shown | { code: string; message: string }> {
  const address = `/api/v1/halls/${encodeURIComponent(entry.code)}`;
  const asked = await api(`${address}/nonce`, { method: "POST" });
  if (!asked.ok) return { code: asked.error!.code, message: asked.error!.message };
  const nonce = (asked.data as { nonce: string }).nonce;
  const proof = await crypto.subtle.sign(PROOF, entry.privateKey, await proven(entry.code, unb64(nonce), entry.prepared));
  const ack = await api(`${address}/redeem`, {
    method: "POST",
    body: {
      prefix: b64(entry.prepared.slice(0, RANDOM_BYTES)),
      signature: b64(entry.signature!),
      device_key: b64(entry.deviceKey),
      nonce,
      proof: b64(new Uint8Array(proof)),
      ...(few ? { few } : {}),
    },
  });
  if (!ack.ok) return { code: ack.error!.code, message: ack.error!.message };
  if (!entry.shown) await keep({ ...entry, shown: true });
  await lock(entry.code, now);
  return ack.data as unknown as Shown;
}
