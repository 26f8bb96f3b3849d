/** The issuer's issuances as its organiser may know them, fetched over HTTP and looked at again every few seconds. */
import { signal } from "@preact/signals";
import { language, t } from "../../i18n";
import type { Ack, Issuer } from "../../protocol/types";
import { api } from "../../ui/api";
import { toast } from "../../ui/parts";
import { secretOf } from "../../ui/route";

export type Kind = "open" | "invitation" | "oidc";

/** `issued`: how many entries were given out; the issuer tells nobody to whom. `closes_at`: unix seconds until when they are. */
export interface Issuance {
  code: string;
  title: string;
  language: "ko" | "en";
  open: boolean;
  chat_url: string;
  closes_at: number;
  issued: number;
  issuer: Omit<Issuer, "kinds"> & { kinds: Kind[] };
  key_hex: string;
  key_words: string[];
}

/** What this issuer is set up for. `chat_url`: proposed address of the chat, or "". */
export interface Offered {
  kinds: Kind[];
  chat_url: string;
  mails: boolean;
}

/** Invitations of one issuance, and how far the mail is. */
export interface Invited {
  invited: number;
  sending: boolean;
  sent: number;
  total: number;
  failed: string[];
}

export const issuances = signal<Issuance[] | null>(null);
export const offered = signal<Offered | null>(null);
export const invited = signal<Invited | null>(null);
/** Code of the issuance that is shown; "" for a new one; null for the list. */
export const chosen = signal<string | null>(null);
export const problem = signal("");
const key = secretOf();

export async function call(path: string, options: { method?: string; body?: BodyInit | object } = {}): Promise<Ack> {
  const ack = await api(path, { ...options, token: key });
  if (ack.error?.code === "unreachable") ack.error.message = t("issuer.unreachable");
  return ack;
}

export async function refresh(): Promise<void> {
  const ack = await call("/api/v1/issuances");
  problem.value = ack.ok ? "" : ack.error?.code === "not_admitted" ? t("issuer.no_key") : (ack.error?.message ?? "");
  if (!ack.ok) return;
  issuances.value = ack.data as unknown as Issuance[];
  if (!offered.value) {
    const told = await call("/api/v1/eligibility");
    if (told.ok) offered.value = told.data as unknown as Offered;
  }
  const shown = issuances.value.find((one) => one.code === chosen.value);
  if (shown?.issuer.kinds.includes("invitation")) await lookAtInvitations(shown.code);
}

/** Show another issuance, the form ("") or the list (null). */
export function choose(code: string | null): void {
  chosen.value = code;
  invited.value = null;
  scrollTo(0, 0);
  void refresh();
}

async function lookAtInvitations(code: string): Promise<void> {
  const ack = await call(`/api/v1/issuances/${code}/invitations`);
  if (ack.ok && chosen.value === code) invited.value = ack.data as unknown as Invited;
}

/** Destroy the private key. True: done. */
export async function closeIssuing(code: string): Promise<boolean> {
  const ack = await call(`/api/v1/issuances/${code}/close`, { method: "POST" });
  if (!ack.ok) toast(ack.error?.message ?? "", true);
  await refresh();
  return ack.ok;
}

/** What became of a file of people. `holding`: invitations that are good now; `replaced`: earlier ones that ended with it.
 * `same_address`, `same_name`: rows that share theirs with another row. */
export interface Counts {
  invited: number;
  holding: number;
  replaced: number;
  same_address: number;
  same_name: number;
}

/** What was made; `file`: null where it is sent by mail. */
export interface Made {
  file: Blob | null;
  counts: Counts;
}

/** Invitations for the rows of `file`, as slips (`html`) or a `csv`. A sentence: what was wrong. */
export async function invite(code: string, file: File, form: "html" | "csv"): Promise<Made | string> {
  const headers = { Authorization: `Bearer ${key}`, "Accept-Language": language.value };
  const path = `/api/v1/issuances/${code}/invitations?form=${form}`;
  const response = await fetch(path, { method: "POST", headers, body: file }).catch(() => null);
  if (!response) return t("issuer.unreachable");
  if (response.ok) return { file: await response.blob(), counts: JSON.parse(response.headers.get("X-Invitations") ?? "{}") as Counts };
  return ((await response.json().catch(() => null)) as Ack | null)?.error?.message ?? t("issuer.unreachable");
}

/** The same, sent by mail: it is under way. */
export async function mail(code: string, file: File): Promise<Made | string> {
  const ack = await call(`/api/v1/issuances/${code}/invitations?form=mail`, { method: "POST", body: file });
  return ack.ok ? { file: null, counts: ack.data as unknown as Counts } : (ack.error?.message ?? "");
}

/** End every invitation that nobody has used. How many those were; null: it was refused. */
export async function voidUnused(code: string): Promise<number | null> {
  const ack = await call(`/api/v1/issuances/${code}/invitations`, { method: "DELETE" });
  if (!ack.ok) toast(ack.error?.message ?? "", true);
  await refresh();
  return ack.ok ? (ack.data as unknown as { voided: number }).voided : null;
}
