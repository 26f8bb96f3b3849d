/** The device key can be read out of this browser for some time, so that an entry can be kept elsewhere; then no script can. */
import { find, keep } from "./vault";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;

/** How long after the signing an entry can be kept elsewhere, in seconds; and until it is shown for the first time, however late. */
export const SAVED_WITHIN_S = 600;

/** From some time after the signing, no script can read the key out of this browser. */
export async function lock(code: string, now: number): Promise<void> {
  const entry = await find(code);
  if (!entry?.privateKey.extractable || now - (entry.signedAt ?? 0) < SAVED_WITHIN_S) return;
  const device = await crypto.subtle.exportKey("jwk", entry.privateKey);
  await keep({ ...entry, privateKey: await crypto.subtle.importKey("jwk", device, CURVE, false, ["sign"]) });
}
