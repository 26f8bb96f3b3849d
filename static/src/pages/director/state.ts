/** What one director's page knows. */
import { computed, signal } from "@preact/signals";
import { allOf, oneOf } from "../../feed/fold";
import { t } from "../../i18n";
import { clientId, Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { Commands, DirectorHall, DirectorOnAir, QuestionCard } from "../../protocol/types";
import { toast } from "../../ui/parts";
import { codeOf } from "../../ui/route";

export const link = new Link("director", codeOf(), staffTicket("director"));
export const hall = computed(() => {
  void link.version.value;
  return oneOf<DirectorHall>(link.view, "hall");
});
export const air = computed(() => {
  void link.version.value;
  return oneOf<DirectorOnAir>(link.view, "on_air");
});
export const cards = computed(() => {
  void link.version.value;
  return allOf<QuestionCard>(link.view, "question");
});
export const mine = computed(() => (air.value?.mine ? cards.value.find((card) => card.id === air.value?.id) : undefined));
/** What is to be done first comes first: on air, then by place in the queue, then deferred by due date. */
export const todo = computed(() => {
  const rank = (card: QuestionCard): number => (card.fate.state === "on_air" ? -1 : (card.position ?? 10_000));
  return cards.value.filter((card) => ["on_air", "queued", "deferred", "asked"].includes(card.fate.state)).sort((a, b) => rank(a) - rank(b) || (a.fate.due ?? "").localeCompare(b.fate.due ?? "") || a.id - b.id);
});
export const done = computed(() => cards.value.filter((card) => !todo.value.includes(card)).reverse());
export const reading = signal<number | null>(null);

type Payload<K extends keyof Commands> = Omit<Commands[K], "client_id">;

/** True: done. A refusal is shown. */
export async function act<K extends keyof Commands>(command: K, payload: Payload<K>): Promise<boolean> {
  const whole = { client_id: clientId(), ...payload } as unknown as Commands[K];
  for (let tries = 0; tries < 3; tries++) {
    try {
      const ack = await link.send(command, whole);
      if (ack.ok) return true;
      if (!["not_saved", "unknown_outcome", "busy"].includes(ack.error?.code ?? "") || tries === 2) {
        toast(ack.error?.message ?? "", true);
        return false;
      }
    } catch {
      // No answer: the same client id makes asking again safe.
    }
    await new Promise((wait) => setTimeout(wait, 700 * (tries + 1)));
  }
  toast(t("refusal.not_saved"), true);
  return false;
}
