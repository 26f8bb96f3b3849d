/** What the audience's page knows: the link, my own things, what I support. */
import { computed, signal } from "@preact/signals";
import { allOf, oneOf } from "../../feed/fold";
import { t } from "../../i18n";
import { Link, type State } from "../../link/link";
import { Outbox } from "../../link/outbox";
import type { Ack, AudienceHall, AudienceMessage, AudienceOnAir, Commands } from "../../protocol/types";
import { local, session } from "../../ui/storage";
import { code, speaks, ticketOf } from "./enter";

const SUPPORTED = `townhall.${code}.supported`;

export const heard: { news: (messages: AudienceMessage[], whole: boolean) => void } = { news: () => undefined };

/** Of those who only watch, who may have written before: nothing that only the author of a message can know goes over it. */
class AudienceLink extends Link {
  override send<K extends keyof Commands>(command: K, payload: Commands[K]): Promise<Ack> {
    if (command === "round:await" || speaks()) return super.send(command, payload);
    return Promise.resolve({ ok: false, error: { code: "watching_only", message: t("refusal.watching_only"), temporary: false } });
  }
}

export const link = new AudienceLink("audience", code, ticketOf, (entries, whole) =>
  heard.news(entries.filter((entry) => entry.k === "message") as unknown as AudienceMessage[], whole),
);
const { version, gauges, view } = link;
/** What was written waits until this page is again whoever wrote it. */
const state = computed<State>(() => (speaks() ? link.state.value : "connecting"));
export const outbox = new Outbox({ version, gauges, view, state, send: link.send.bind(link) }, code, session, local);

export const hall = computed(() => {
  void link.version.value;
  return oneOf<AudienceHall>(link.view, "hall");
});
export const messages = computed(() => {
  void link.version.value;
  return allOf<AudienceMessage>(link.view, "message");
});
export const chat = computed(() => messages.value.slice(-300));
export const questions = computed(() => messages.value.filter((message) => message.fate));
export const onAir = computed(() => {
  void link.version.value;
  const air = oneOf<AudienceOnAir>(link.view, "on_air");
  const message = air?.id ? (link.view.get(`message:${air.id}`) as unknown as AudienceMessage | undefined) : undefined;
  return air && message ? { air, message } : null;
});

export const supported = signal<ReadonlySet<number>>(new Set(kept()));
/** What I pressed a moment ago and the figures do not show yet. */
const pressed = signal<Record<number, number>>({});

function kept(): number[] {
  try {
    return JSON.parse(local.getItem(SUPPORTED) ?? "[]") as number[];
  } catch {
    return [];
  }
}

export function supportOf(message: AudienceMessage): number {
  const figure = pressed.value[message.id] ?? link.gauges.value.support[message.id] ?? 0;
  return Math.max(figure, message.fate?.support ?? 0);
}

/** Give or take back support. Returns a sentence if that was refused. */
export async function support(message: AudienceMessage): Promise<string | null> {
  const on = !supported.value.has(message.id);
  mark(message.id, on);
  pressed.value = { ...pressed.value, [message.id]: Math.max(0, supportOf(message) + (on ? 1 : -1)) };
  const ack = await link.send("question:support", { message: message.id, on }).catch(() => null);
  const told = (ack?.data as { support: number } | undefined)?.support;
  const { [message.id]: _, ...rest } = pressed.value;
  pressed.value = rest;
  if (told !== undefined) link.gauges.value = { ...link.gauges.value, support: { ...link.gauges.value.support, [message.id]: told } };
  if (ack?.ok) return null;
  mark(message.id, !on);
  return ack?.error?.message ?? "";
}

function mark(id: number, on: boolean): void {
  const next = new Set(supported.value);
  if (on) next.add(id);
  else next.delete(id);
  supported.value = next;
  local.setItem(SUPPORTED, JSON.stringify([...next].slice(-2_000)));
}
