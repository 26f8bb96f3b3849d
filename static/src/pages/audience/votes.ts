/** The open poll and my vote in it. The vote is kept by the server alone: a page asks for it, and leaves nothing in the browser. */
import { computed, effect, signal } from "@preact/signals";
import { closedOf, openOf } from "../../feed/polls";
import type { PollCard } from "../../protocol/types";
import { standing } from "./enter";
import { hall, link } from "./state";

const open = computed(() => {
  void link.version.value;
  return openOf(link.view);
});
export const closed = computed(() => {
  void link.version.value;
  return closedOf(link.view);
});
/** A poll that was seen open stays where it was with its result, until it is put away. */
const seen = signal<number | null>(null);
export const card = computed<PollCard | null>(() => open.value ?? closed.value.find((poll) => poll.id === seen.value) ?? null);

/** Where this little is left of a screen, what is being written comes first. */
const LOW = "(max-height: 480px)";
/** Whether the card is no more than its question, which is somebody's wish, or for want of place. */
export const folded = signal(matchMedia(LOW).matches);

/** `choice` as the server has it, or as it was pressed a moment ago. */
export const vote = signal<{ poll: number; choice: number | null } | null>(null);
export const mayVote = computed(() => hall.value?.phase === "open" && (standing.value === "free" || standing.value === "in"));

/** Rises with each press, so that an answer to what came before it is not taken for the vote. */
let pressed = 0;
let sending: Promise<string | null> | null = null;

/** Vote, or vote otherwise. Out: null, or a sentence where that was refused. The last of several quick presses counts. */
export function cast(poll: number, choice: number): Promise<string | null> {
  pressed++;
  vote.value = { poll, choice };
  sending ??= send().finally(() => (sending = null));
  return sending;
}

/** One at a time, since over POST two under way may arrive the other way round. */
async function send(): Promise<string | null> {
  for (;;) {
    const [mark, now] = [pressed, vote.value!];
    const ack = await link.send("poll:vote", { poll: now.poll, choice: now.choice! }).catch(() => null);
    if (mark !== pressed) continue;
    if (ack?.ok) return null;
    vote.value = null;
    void ask();
    return ack?.error?.message ?? "";
  }
}

async function ask(): Promise<void> {
  const poll = open.peek()?.id;
  const mark = pressed;
  if (poll === undefined || !mayVote.peek()) return;
  const ack = await link.send("poll:mine", { poll }).catch(() => null);
  const told = ack?.data as { poll: number; choice: number | null } | undefined;
  if (ack?.ok && told && mark === pressed) vote.value = told;
}

export function putAway(): void {
  seen.value = null;
}

/**
 * Follow what happens, for as long as the page is open. A poll that opened since this page came in has no vote of mine yet: nobody asks
 * for it, or everybody would at once.
 */
export function followPolls(): void {
  effect(() => {
    const poll = open.value;
    if (!poll || poll.id === seen.peek()) return;
    seen.value = poll.id;
    folded.value = matchMedia(LOW).matches;
  });
  effect(() => {
    const [poll, came] = [open.value, link.hello.value];
    if (poll && came && poll.at <= came.now && mayVote.value && link.state.value === "live") queueMicrotask(() => void ask());
  });
}
