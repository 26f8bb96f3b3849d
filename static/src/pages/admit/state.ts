/** The issuer's page: shows that somebody is eligible, has the blinded values signed, and goes back. Knows no participant. */
import { signal } from "@preact/signals";
import { t } from "../../i18n";
import { api } from "../../ui/api";
import { codeOf } from "../../ui/route";
import { local, session } from "../../ui/storage";
import { Asked, type Brought, type Kind, type Pressed } from "./pressed";

export interface Card {
  code: string;
  title: string;
  open: boolean;
  kinds: Kind[];
  chat_url: string;
  key: string;
}

export const code = codeOf();
const INVITATION = `issuer.${code}.invitation`;
const BROWSER = "issuer.browser";
const BROWSER_BYTES = 24;
const asked = new Asked(code);

export const card = signal<Card | null>(null);
/** A sentence: why it did not work. */
export const wrong = signal("");
export const busy = signal(false);
/** The code of an invitation: as its link brought it, or as it was typed. */
export const invitation = signal("");
/** The role that somebody wants to sign in for, "any"; null: they want to take part. */
export const staff = new URLSearchParams(location.search).get("staff");

/** Take what came in the address, which it leaves at once. By itself this page only finishes what a press in this tab began. */
export async function arrive(): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const given = fragment.get("i");
  if (given) session.setItem(INVITATION, given.slice(0, 100));
  invitation.value = session.getItem(INVITATION) ?? "";
  const pressed = asked.brought(fragment);
  const ack = await api(`/api/v1/issuances/${encodeURIComponent(code)}`);
  if (!ack.ok) {
    wrong.value = ack.error?.message || t("admit.unreachable");
    return;
  }
  card.value = ack.data as unknown as Card;
  const how = query.get("oidc");
  if (staff !== null) wrong.value = t(`admit.oidc_${how ?? "expired"}`);
  else if (pressed) await goOn(pressed);
  else if (how === "signed") {
    const brought = asked.returned(query.get("tab"));
    if (brought) await sign({ kind: "oidc", proof: "", ...brought });
  } else if (how) wrong.value = t(`admit.oidc_${how}`);
  else if (!card.value.open) wrong.value = t("refusal.issuing_closed");
}

function home(answer: string): string {
  return `${card.value!.chat_url}/t/${encodeURIComponent(code)}#${answer}`;
}

/** This browser, by a random value that nobody else is told. */
function browser(): string {
  let known = local.getItem(BROWSER);
  if (!known) {
    const bytes = crypto.getRandomValues(new Uint8Array(BROWSER_BYTES));
    known = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
    local.setItem(BROWSER, known);
  }
  return known;
}

/** Somebody pressed: to the chat's page for what is to be signed. It brings that with the `ask`, or stays where there is an entry. */
export function takePart(kind: Kind): void {
  if (!session.lasts()) {
    wrong.value = t("admit.no_storage");
    return;
  }
  busy.value = true;
  wrong.value = "";
  const proof = kind === "open" ? browser() : kind === "invitation" ? invitation.value.trim() : "";
  if (kind === "invitation") session.setItem(INVITATION, proof);
  location.assign(home(`ask=${asked.press({ kind, proof })}`));
}

/** It was brought: sign it, or sign in first. */
async function goOn(pressed: Pressed & Brought): Promise<void> {
  if (pressed.kind !== "oidc") {
    await sign(pressed);
    return;
  }
  const { blinded, waiting } = pressed;
  location.replace(`/oidc/login?code=${encodeURIComponent(code)}&tab=${asked.leave({ blinded, waiting })}`);
}

/** Have it signed, and go back to the chat with the answer. */
async function sign({ kind, proof, blinded, waiting }: Pressed & Brought): Promise<void> {
  busy.value = true;
  const body = { blinded, ...(waiting.length && { waiting }), kind, proof };
  const ack = await api(`/api/v1/issuances/${encodeURIComponent(code)}/sign`, { method: "POST", body, credentials: "same-origin" });
  if (ack.ok) {
    session.removeItem(INVITATION);
    const signed = ack.data as { signature: string; waiting?: string[] };
    location.replace(home(`s=${signed.signature}${signed.waiting?.length ? `&w=${signed.waiting.join(",")}` : ""}`));
    return;
  }
  busy.value = false;
  const error = ack.error!;
  if (error.code === "already_issued" || error.code === "issuing_closed") location.replace(home(`r=${error.code}`));
  else wrong.value = error.code === "sign_in" ? t("admit.oidc_expired") : error.message || t("admit.unreachable");
}

export function signInAsStaff(): void {
  location.assign(`/oidc/staff?code=${encodeURIComponent(code)}&role=${encodeURIComponent(staff ?? "any")}`);
}

export function onlyWatch(): void {
  location.assign(home("r=watching_only"));
}

// Whoever goes back to this page presses anew.
addEventListener("pageshow", (event) => {
  if (event.persisted) busy.value = false;
});
