/** Getting in comes before the link is opened: it needs the ticket. */
import { api } from "../../ui/api";
import { codeOf } from "../../ui/route";

export const code = codeOf();
const TICKET = `townhall.${code}.ticket`;
let ticket = "";

export function ticketOf(): string {
  return ticket;
}

/** Null: in, with the ticket of before or a new one. Otherwise the sentence to show. */
export async function enter(): Promise<string | null> {
  try {
    ticket = localStorage.getItem(TICKET) ?? "";
  } catch {
    // Without storage this is a new participant after each reload.
  }
  if (ticket) return null;
  const ack = await api(`/api/v1/halls/${encodeURIComponent(code)}/join`, { method: "POST" });
  if (!ack.ok) return ack.error?.message ?? "";
  ticket = (ack.data as { ticket: string }).ticket;
  try {
    localStorage.setItem(TICKET, ticket);
  } catch {
    // As above.
  }
  return null;
}

/** The server knows this ticket no longer (they are good for a day): come in anew. */
export function comeInAnew(): void {
  try {
    localStorage.removeItem(TICKET);
  } catch {
    // Nothing was kept.
  }
  location.reload();
}
