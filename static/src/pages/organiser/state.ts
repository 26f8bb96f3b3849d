/** The organiser's town halls, fetched over HTTP and looked at again every few seconds. */
import { signal } from "@preact/signals";
import { t } from "../../i18n";
import { clientId } from "../../link/link";
import { authorization, call as asked } from "../../link/organiser";
import type { Ack, Commands, OrganiserHall, RoleLink } from "../../protocol/types";
import { toast } from "../../ui/parts";
import { save } from "../../ui/save";

export const halls = signal<OrganiserHall[] | null>(null);
/** Code of the town hall that is shown; "" for a new one; null for the list. */
export const chosen = signal<string | null>(null);
export const problem = signal("");

/** Addresses of links that were made from this page, by town hall: nobody else knows them, so they are kept until it is left. */
export const made = signal<Record<string, readonly RoleLink[]>>({});

export async function call(path: string, options: { method?: string; body?: BodyInit | object } = {}): Promise<Ack> {
  const ack = await asked(path, options);
  if (ack.error?.code === "unreachable") ack.error.message = t("organiser.unreachable");
  return ack;
}

export async function refresh(): Promise<void> {
  const ack = await call("/api/v1/halls");
  problem.value = ack.ok ? "" : ack.error?.code === "not_admitted" ? t("organiser.no_key") : (ack.error?.message ?? "");
  if (ack.ok) halls.value = ack.data as unknown as OrganiserHall[];
}

/** True: done. */
export async function act<K extends keyof Commands>(code: string, command: K, payload: Omit<Commands[K], "client_id">): Promise<boolean> {
  const ack = await call(`/api/v1/halls/${code}/organiser/commands`, { method: "POST", body: { command, payload: { client_id: clientId(), ...payload } } });
  if (!ack.ok) toast(ack.error?.message ?? "", true);
  await refresh();
  return ack.ok;
}

/** Links were made: show where they lead. */
export function tell(code: string, links: readonly RoleLink[]): void {
  made.value = { ...made.value, [code]: [...links, ...(made.value[code] ?? [])] };
}

/** True: done. `id` left out: a further moderator, known by the label. */
export async function makeLinks(code: string, links: { role: string; id?: string; label: string }[], days: number): Promise<boolean> {
  const ack = await call(`/api/v1/halls/${code}/links`, { method: "POST", body: { links, days } });
  if (ack.ok) tell(code, (ack.data as { links: RoleLink[] }).links);
  else toast(ack.error?.message ?? "", true);
  await refresh();
  return ack.ok;
}

/** A QR code of `text` as SVG; null: it could not be drawn. */
export async function drawn(text: string): Promise<string | null> {
  const headers = { ...(await authorization()), "Content-Type": "application/json" };
  const response = await fetch("/api/v1/qr", { method: "POST", headers, body: JSON.stringify({ text }) }).catch(() => null);
  return response?.ok ? response.text() : null;
}

/** A file behind a key: fetched, then handed to the browser to save. */
export async function download(code: string, name: string): Promise<void> {
  const response = await fetch(`/api/v1/halls/${code}/export/${name}`, { headers: await authorization() });
  if (!response.ok) {
    toast(((await response.json()) as Ack).error?.message ?? "", true);
    return;
  }
  save(await response.blob(), `${code}-${name}`);
}
