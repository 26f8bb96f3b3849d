/** The issuer's page: shows that somebody is eligible, has the blinded value signed, and goes back. Knows no participant. */
import { signal } from "@preact/signals";
import { t } from "../../i18n";
import { api } from "../../ui/api";
import { codeOf } from "../../ui/route";

export type Kind = "open" | "invitation" | "oidc";

export interface Card {
  code: string;
  title: string;
  open: boolean;
  kinds: Kind[];
  chat_url: string;
  key: string;
}

export const code = codeOf();
const BLINDED = `issuer.${code}.blinded`;
const INVITATION = `issuer.${code}.invitation`;
const BROWSER = "issuer.browser";

export const card = signal<Card | null>(null);
/** A sentence: why it did not work. */
export const wrong = signal("");
export const busy = signal(false);
/** The role that somebody wants to sign in for, "any"; null: they want to take part. */
export const staff = new URLSearchParams(location.search).get("staff");

/** Take what came in the fragment (it leaves the address bar at once), and go on by ourselves where nothing has to be asked. */
export async function arrive(): Promise<void> {
  const brought = new URLSearchParams(location.hash.slice(1));
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const blinded = brought.get("b");
  const invitation = brought.get("i");
  if (blinded) sessionStorage.setItem(BLINDED, blinded);
  if (invitation) sessionStorage.setItem(INVITATION, invitation);
  const ack = await api(`/api/v1/issuances/${encodeURIComponent(code)}`);
  if (!ack.ok) {
    wrong.value = ack.error?.message || t("admit.unreachable");
    return;
  }
  card.value = ack.data as unknown as Card;
  const { kinds } = card.value;
  if (staff !== null) {
    wrong.value = t(`admit.oidc_${query.get("oidc") ?? "expired"}`);
    return;
  }
  if (!sessionStorage.getItem(BLINDED)) {
    // Without a token there is nothing to sign: the chat's page makes it, and comes back with it.
    location.replace(home());
    return;
  }
  const failed = query.get("oidc");
  if (sessionStorage.getItem(INVITATION) && kinds.includes("invitation")) await sign("invitation", sessionStorage.getItem(INVITATION)!);
  else if (failed === "signed") await sign("oidc", "");
  else if (failed) wrong.value = t(`admit.oidc_${failed}`);
  else if (kinds.length === 1 && kinds[0] === "open") await sign("open", browser());
}

function home(answer = ""): string {
  return `${card.value!.chat_url}/t/${encodeURIComponent(code)}${answer && `#${answer}`}`;
}

/** This browser, by a random value that nobody else is told. */
export function browser(): string {
  let known = localStorage.getItem(BROWSER);
  if (!known) {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    known = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
    localStorage.setItem(BROWSER, known);
  }
  return known;
}

/** Have it signed, and go back to the chat with the answer. */
export async function sign(kind: Kind, proof: string): Promise<void> {
  busy.value = true;
  wrong.value = "";
  const blinded = sessionStorage.getItem(BLINDED) ?? "";
  const ack = await api(`/api/v1/issuances/${encodeURIComponent(code)}/sign`, { method: "POST", body: { blinded, kind, proof } });
  busy.value = false;
  if (ack.ok) {
    sessionStorage.removeItem(BLINDED);
    sessionStorage.removeItem(INVITATION);
    location.replace(home(`s=${(ack.data as { signature: string }).signature}`));
    return;
  }
  const error = ack.error!;
  if (error.code === "already_issued" || error.code === "issuing_closed") location.replace(home(`r=${error.code}`));
  else if (error.code === "sign_in") signIn();
  else wrong.value = error.message || t("admit.unreachable");
}

export function signIn(): void {
  location.assign(staff === null ? `/oidc/login?code=${encodeURIComponent(code)}` : `/oidc/staff?code=${encodeURIComponent(code)}&role=${encodeURIComponent(staff)}`);
}

export function onlyWatch(): void {
  location.replace(home("r=watching_only"));
}
