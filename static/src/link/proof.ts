/** By what this browser shows that a link is bound to it, byte by byte: the same as protocol/link_proofs.py. */
import { b64, joined, unb64, type Bytes } from "../admission/token";
import { api } from "../ui/api";
import type { Ack } from "../protocol/types";
import type { Opened } from "./opened";

const text = new TextEncoder();
const PROOF = { name: "ECDSA", hash: "SHA-256" } as const;

export interface LinkProof {
  key: string;
  nonce: string;
  proof: string;
}

/** What the proof is over. `code` "": of no town hall. */
export function linkProven(code: string, role: string, link: string, nonce: Bytes): Bytes {
  return joined(text.encode(`TH1 link\0${code}\0${role}\0${link}\0`), nonce);
}

/** A proof for one request; or why there is none. `address`: where nonces come from. */
export async function prove(address: string, code: string, role: string, link: Opened): Promise<LinkProof | Ack> {
  const ack = await api(address, { method: "POST" });
  if (!ack.ok) return ack;
  const nonce = (ack.data as { nonce: string }).nonce;
  const proof = await crypto.subtle.sign(PROOF, link.privateKey, linkProven(code, role, link.link, unb64(nonce)));
  return { key: b64(link.publicKey), nonce, proof: b64(new Uint8Array(proof)) };
}
