/** From nobody to a participant, in the browser: make a token, have it signed unseen, show it, come back with it. */
import { api } from "../ui/api";
import { issuerKey } from "./issuer_key";
import { b64, joined, message, proven, unb64, type Bytes } from "./token";
import { lock } from "./lock";
import { find, keep, type Covered, type Entry } from "./vault";

const RANDOM_BYTES = 32;
const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const PROOF = { name: "ECDSA", hash: "SHA-256" } as const;
/** Waiting tokens of one entry: as protocol/credentials.py. */
const WAITING_TOKENS = 1;
const NO_DEVICE = new Uint8Array(0);

/** Blinding needs a library of big numbers: loaded when somebody gets an entry, never to watch or to come back. */
async function blinding() {
  const { RSABSSA } = await import("@cloudflare/blindrsa-ts");
  return RSABSSA.SHA384.PSS.Randomized();
}

type Suite = Awaited<ReturnType<typeof blinding>>;

/** Whether this browser can: cryptography needs https (or localhost), and the key a place to be kept. */
export function able(): boolean {
  return typeof crypto.subtle !== "undefined" && typeof indexedDB !== "undefined";
}

export interface Keys {
  key: string;
  /** What waiting tokens are signed with; empty: this issuer gives none. */
  waiting_key?: string;
}

/** Of several tabs one at a time: two that made an entry at once would lose the one that is signed. */
function alone<T>(code: string, act: () => Promise<T>): Promise<T> {
  return "locks" in navigator ? navigator.locks.request(`townhall.entry.${code}`, act) : act();
}

/** What goes to the issuer, blinded, as the fragment of its address: `b` and, where it gives them, `w`; null: another tab has
 * got the entry meanwhile. Throws where this browser keeps nothing. The device's key can be read out until it is locked (lock.ts), so that it can be saved.
 */
export function begin(code: string, keys: Keys): Promise<string | null> {
  return alone(code, () => begun(code, keys));
}

async function begun(code: string, keys: Keys): Promise<string | null> {
  let entry = await find(code);
  if (entry?.signature && b64(entry.spki) === keys.key) return null;
  // The same blinded values again, where they are under way: the issuer answers them again, and refuses others.
  if (!entry?.blinded || b64(entry.spki) !== keys.key) {
    entry = await made(code, unb64(keys.key), unb64(keys.waiting_key ?? ""));
    await keep(entry);
  }
  const waiting = entry.waitingCovered ?? [];
  return `b=${b64(entry.blinded!)}${waiting.length ? `&w=${waiting.map((one) => b64(one.blinded)).join(",")}` : ""}`;
}

async function made(code: string, spki: Bytes, waitingSpki: Bytes): Promise<Entry> {
  const pair = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const deviceKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const suite = await blinding();
  const token = await covered(suite, spki, await message("participant", code, spki, deviceKey));
  const entry: Entry = { code, spki, privateKey: pair.privateKey, deviceKey, ...token };
  if (!waitingSpki.length) return entry;
  const waits = await message("waiting", code, waitingSpki, NO_DEVICE);
  const waitingCovered = await Promise.all(Array.from({ length: WAITING_TOKENS }, () => covered(suite, waitingSpki, waits)));
  return { ...entry, waitingSpki, waitingCovered };
}

async function covered(suite: Suite, spki: Bytes, text: Bytes): Promise<Covered> {
  const prepared = joined(suite.prepare(text));
  const { blindedMsg, inv } = await suite.blind(await issuerKey(spki), prepared);
  return { prepared, blinded: joined(blindedMsg), inverse: joined(inv) };
}

/**
 * Take the issuer's answer; `waiting`: the signatures of the waiting tokens, none where it gives none. False: one of them is no
 * signature by the key that stands in the log, or there was nothing to sign.
 */
export function complete(code: string, key: string, answer: string, waiting: readonly string[], now: number): Promise<boolean> {
  return alone(code, () => completed(code, key, answer, waiting, now));
}

async function completed(code: string, key: string, answer: string, waiting: readonly string[], now: number): Promise<boolean> {
  const entry = await find(code);
  if (!entry?.inverse || !entry.blinded || b64(entry.spki) !== key) return false;
  try {
    const suite = await blinding();
    const open = async (spki: Bytes, one: Covered, signed: string): Promise<Bytes> =>
      joined(await suite.finalize(await issuerKey(spki), one.prepared, unb64(signed), one.inverse));
    const { blinded, inverse, waitingSpki, waitingCovered = [], ...rest } = entry;
    const signature = await open(entry.spki, { prepared: entry.prepared, blinded, inverse }, answer);
    const tokens = await Promise.all(
      waiting.slice(0, waitingCovered.length).map(async (signed, place) => {
        const one = waitingCovered[place]!;
        return { prepared: one.prepared, signature: await open(waitingSpki!, one, signed) };
      }),
    );
    // What links the signing to the tokens is forgotten here, and never was anywhere else.
    await keep({ ...rest, signature, signedAt: now, ...(tokens.length && { waiting: tokens }) });
    return true;
  } catch {
    return false;
  }
}

/** What `round:await` says of the waiting token with this number; empty where there is none left. */
export function waitingToken(entry: Entry, place: number): { prefix: string; signature: string } | Record<string, never> {
  const token = entry.waiting?.[place];
  return token ? { prefix: b64(token.prepared.slice(0, RANDOM_BYTES)), signature: b64(token.signature) } : {};
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
  // As it is kept by now: its key may have been locked since.
  const kept = (await find(entry.code)) ?? entry;
  if (!kept.shown) await keep({ ...kept, shown: true });
  await lock(entry.code, now);
  return ack.data as unknown as Shown;
}
