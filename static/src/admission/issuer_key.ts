/** The issuer's public key, for what it has signed. */
import type { Bytes } from "./token";

/** Of RSABSSA-SHA384-PSS-Randomized (RFC 9474). */
export const PSS = { name: "RSA-PSS", saltLength: 48 } as const;

export function issuerKey(spki: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("spki", spki, { name: "RSA-PSS", hash: "SHA-384" }, true, ["verify"]);
}
