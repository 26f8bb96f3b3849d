/** What pages make of polls: which one is open, what may be said of its votes, and whether what a host has typed is one. */
import type { PollCard, PollFigures } from "../protocol/types";
import { allOf, type View } from "./fold";

/** At least, and at most, of a poll's choices. */
export const CHOICES = [2, 6] as const;
/** Most letters of a question, and of a choice. */
export const QUESTION_MOST = 300;
export const CHOICE_MOST = 80;

/** `counts` in the order of the choices; `shares`: whole per cent of them. `about`: rounded, as those of an open poll are. */
export interface Figures {
  about: boolean;
  voters: number;
  counts: readonly number[];
  shares: readonly number[];
}

export function openOf(view: View): PollCard | null {
  return allOf<PollCard>(view, "poll").findLast((poll) => poll.open) ?? null;
}

/** The newest first. */
export function closedOf(view: View): PollCard[] {
  return allOf<PollCard>(view, "poll")
    .filter((poll) => !poll.open)
    .reverse();
}

/** Null: there is nothing to be told yet, or, of a closed poll, nothing that may be told. `live` may be another poll's. */
export function figuresOf(poll: PollCard, live: PollFigures | null): Figures | null {
  const told = !poll.open ? poll : live?.id === poll.id ? live : null;
  if (!told || (told.voters ?? null) === null || !told.counts) return null;
  return { about: poll.open, voters: told.voters!, counts: told.counts, shares: shares(told.counts) };
}

/** Each rounded by itself: as many votes are as many per cent, even where all of them then add up to 99 or 101. */
export function shares(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all ? Math.round((count * 100) / all) : 0));
}

/** A poll that is being written. */
export interface Draft {
  question: string;
  choices: readonly string[];
}

/** As it is sent, each on one line as the server makes it: without what was left empty. */
export function trimmed(draft: Draft): Draft {
  return { question: line(draft.question), choices: draft.choices.map(line).filter(Boolean) };
}

export function line(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/** What it lacks to be a poll; null: nothing. */
export function lackOf(draft: Draft): "question" | "choices" | "same" | null {
  const { question, choices } = trimmed(draft);
  if (!question) return "question";
  if (new Set(choices).size < choices.length) return "same";
  return choices.length < CHOICES[0] ? "choices" : null;
}
