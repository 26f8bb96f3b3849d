/** Calls of an organiser's page, with a ticket for the address that it was opened by; the same at the chat and at the issuer. */
import type { Ack } from "../protocol/types";
import { api } from "../ui/api";
import { ticketOf } from "./staff";
import { NoTicket } from "./transport";

const DOOR = "/api/v1/organiser";
const ticket = ticketOf({ base: DOOR, nonces: `${DOOR}/nonce`, code: "", role: "organiser", bound: true });

/** The answer; one that says why where there is no ticket to ask with. */
export async function call(path: string, options: { method?: string; body?: BodyInit | object } = {}): Promise<Ack> {
  try {
    const ack = await api(path, { ...options, token: await ticket() });
    // A clock that stood still while the computer slept holds a ticket for good that is over.
    return ack.error?.code === "not_admitted" ? await api(path, { ...options, token: await ticket(true) }) : ack;
  } catch (error) {
    if (!(error instanceof NoTicket)) throw error;
    const { code, message, come_back_after_ms } = error.refused;
    return { ok: false, error: { code, message, temporary: come_back_after_ms !== null } };
  }
}

/** For what is fetched in another form than an Ack. Without a ticket there is none, and the server says so. */
export async function authorization(): Promise<Record<string, string>> {
  try {
    return { Authorization: `Bearer ${await ticket()}` };
  } catch {
    return {};
  }
}
