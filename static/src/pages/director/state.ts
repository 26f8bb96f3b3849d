/** What one director's page knows. */
import { computed, signal } from "@preact/signals";
import { allOf, oneOf } from "../../feed/fold";
import { Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { DirectorHall, DirectorOnAir, QuestionCard } from "../../protocol/types";
import { acting } from "../../ui/act";
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

/** True: done. A refusal is shown. */
export const act = acting(link);
