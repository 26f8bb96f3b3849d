/** A ticket for a link that is bound to the browser that first opened it: asked for with its secret and a proof of its key. */
import { unb64 } from "../admission/token";
import type { Ack } from "../protocol/types";
import { api } from "../ui/api";
import { keepSecret, secretOf } from "../ui/route";
import { forget, lastOpened, opened, used, type Opened } from "./opened";
import { prove } from "./proof";

/** Letters of a link's name at the head of its secret. */
const NAME = 8;
/** What the issuer sends somebody back with who signed in there. It is good once, for a link of their own. */
const GRANT = "grant=";
/** The link will not admit this browser again. */
const OVER: readonly string[] = ["link_revoked", "link_expired", "link_elsewhere", "opening_used"];

/** `base`: address that tickets come from; `nonces`: that nonces come from; `bound`: false where links are never bound. */
export interface Gate {
  base: string;
  nonces: string;
  code: string;
  role: string;
  bound: boolean;
}

/** Asks for a ticket, whose answer has `ticket` and `expires_in_s`. The secret comes from the address, or from an earlier visit. */
export function asking(gate: Gate): () => Promise<Ack> {
  const place = `${gate.role}:${gate.code}`;
  let secret = secretOf();

  async function shown(link: Opened, what: string, token: string): Promise<Ack> {
    const proof = await prove(gate.nonces, gate.code, gate.role, link);
    return "ok" in proof ? proof : api(`${gate.base}/${what}`, { method: "POST", token, body: proof });
  }

  /** A link of one's own for a grant. null: done. */
  async function granted(): Promise<Ack | null> {
    const grant = secret.slice(GRANT.length);
    const name = linkOf(grant);
    const link = name ? await opened(place, name, "") : null;
    const ack = link ? await shown(link, "grant", grant) : await api(`${gate.base}/grant`, { method: "POST", token: grant });
    if (!ack.ok) {
      if (link && !ack.error?.temporary) await forget(link);
      return ack;
    }
    keepSecret((secret = (ack.data as { secret: string }).secret));
    if (link) await used({ ...link, secret });
    return null;
  }

  return async () => {
    const refused = secret.startsWith(GRANT) ? await granted() : null;
    if (refused) return refused;
    const link = !gate.bound ? null : secret ? await opened(place, secret.slice(0, NAME), secret) : await lastOpened(place);
    // Without a place for a key the link stays unbound: its secret admits, here and wherever it is found.
    if (!link) return api(`${gate.base}/ticket`, { method: "POST", token: secret });
    const ack = await shown(link, "ticket", secret || link.secret);
    if (ack.ok) await used({ ...link, secret: secret || link.secret });
    else if (OVER.includes(ack.error!.code) || (ack.error!.code === "not_admitted" && !link.used)) await forget(link);
    return ack;
  };
}

/** Name of the link that comes of a grant; "": it is none. */
function linkOf(grant: string): string {
  try {
    const told = JSON.parse(new TextDecoder().decode(unb64(grant.split(".")[0]!))) as { made?: unknown };
    return typeof told.made === "string" ? told.made : "";
  } catch {
    return "";
  }
}
