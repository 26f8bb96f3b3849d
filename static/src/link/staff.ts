/** A staff page's ticket: got for the link's secret, good for ten minutes, held in memory, renewed before it ends. */
import { t } from "../i18n";
import { codeOf } from "../ui/route";
import { asking, type Gate } from "./bound";
import { NoTicket } from "./transport";

/** Renewed when less than this is left. */
const SPARE_MS = 120_000;

/** A good ticket, from memory or anew. Throws NoTicket. */
export type Ticket = (anew?: boolean) => Promise<string>;

/** Of `role` in the town hall that the address names. */
export function staffTicket(role: string, now: () => number = () => performance.now()): Ticket {
  const code = codeOf();
  const hall = `/api/v1/halls/${encodeURIComponent(code)}`;
  return ticketOf({ base: `${hall}/${role}`, nonces: `${hall}/nonce`, code, role, bound: role !== "overlay" }, now);
}

/** At any gate. */
export function ticketOf(gate: Gate, now: () => number = () => performance.now()): Ticket {
  const ask = asking(gate);
  let ticket = "";
  let until = 0;
  return async (anew = false) => {
    if (!anew && ticket && now() < until - SPARE_MS) return ticket;
    const ack = await ask();
    if (!ack.ok) {
      const error = ack.error!;
      // One that still holds is better than none while the server cannot be reached.
      if (error.temporary && ticket && now() < until) return ticket;
      throw new NoTicket({ code: error.code, message: error.message || t("common.reconnecting"), come_back_after_ms: error.temporary ? (error.retry_after_ms ?? 1_000) : null });
    }
    const got = ack.data as { ticket: string; expires_in_s: number };
    ticket = got.ticket;
    until = now() + got.expires_in_s * 1_000;
    return ticket;
  };
}
