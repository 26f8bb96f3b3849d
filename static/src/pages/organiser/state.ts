/** The organiser's town halls, fetched over HTTP and looked at again every few seconds. */
import { signal } from "@preact/signals";
import { t } from "../../i18n";
import { clientId } from "../../link/link";
import type { Ack, Commands, OrganiserHall } from "../../protocol/types";
import { api } from "../../ui/api";
import { toast } from "../../ui/parts";
import { secretOf } from "../../ui/route";

export const halls = signal<OrganiserHall[] | null>(null);
/** Code of the town hall that is shown; "" for a new one; null for the list. */
export const chosen = signal<string | null>(null);
export const problem = signal("");

export async function call(path: string, options: { method?: string; body?: BodyInit | object } = {}): Promise<Ack> {
  const ack = await api(path, { ...options, token: secretOf() });
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

/** A file behind a key: fetched, then handed to the browser to save. */
export async function download(code: string, name: string): Promise<void> {
  const response = await fetch(`/api/v1/halls/${code}/export/${name}`, { headers: { Authorization: `Bearer ${secretOf()}` } });
  if (!response.ok) {
    toast(((await response.json()) as Ack).error?.message ?? "", true);
    return;
  }
  save(await response.blob(), `${code}-${name}`);
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
