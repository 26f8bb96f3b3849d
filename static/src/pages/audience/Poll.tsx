import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { figuresOf } from "../../feed/polls";
import { clock, t } from "../../i18n";
import type { PollCard } from "../../protocol/types";
import { Bar, Bars, Voters } from "../../ui/Bars";
import { Icon, toast } from "../../ui/parts";
import { standing } from "./enter";
import { link } from "./state";
import { card, cast, closed, folded, mayVote, putAway, vote } from "./votes";

/** Characters from which a question is set smaller. */
const LONG = 80;

/** The open poll, above the chat; folded to its question by whoever wants the place. */
export function Poll(): JSX.Element | null {
  const poll = card.value;
  return poll && <Card key={poll.id} poll={poll} />;
}

function Card({ poll }: { poll: PollCard }): JSX.Element {
  const figures = figuresOf(poll, link.gauges.value.poll);
  const mine = vote.value?.poll === poll.id ? vote.value.choice : null;
  return (
    <section class={`poll ${folded.value ? "folded" : ""} ${poll.question.length > LONG ? "wordy" : ""}`} aria-labelledby="poll" data-poll={poll.id}>
      <h2 id="poll" class="text">
        <span class="chip primary">{t(!poll.open ? "common.poll_closed" : folded.value && mine !== null ? "audience.poll_voted" : "common.poll")}</span> <bdi>{poll.question}</bdi>
      </h2>
      {poll.open ? (
        <button class="button quiet small" type="button" aria-expanded={!folded.value} aria-controls="poll-choices" onClick={() => (folded.value = !folded.value)}>
          {t(folded.value ? "audience.poll_unfold" : "audience.poll_fold")}
        </button>
      ) : (
        <button class="button quiet small" type="button" onClick={putAway}>
          {t("common.close")}
        </button>
      )}
      <div id="poll-choices" hidden={folded.value}>
        {poll.open ? (
          <div class="bars" role="group" aria-labelledby="poll" aria-describedby={mayVote.value ? undefined : "poll-why"}>
            {poll.choices.map((text, place) => (
              <button key={place} class="bar-row choice" type="button" aria-pressed={mine === place} disabled={!mayVote.value} onClick={() => void cast(poll.id, place).then(refused)}>
                <Icon name={mine === place ? "chosen" : "choose"} />
                <Bar text={text} place={place} figures={figures} />
              </button>
            ))}
          </div>
        ) : (
          <Bars choices={poll.choices} figures={figures} mine={mine} />
        )}
        <WhyNot open={poll.open} />
        <Voters open={poll.open} figures={figures} />
      </div>
    </section>
  );
}

function refused(why: string | null): void {
  if (why !== null) toast(why || t("refusal.not_saved"), true);
}

/** Why whoever only watches, or still waits, cannot vote. */
function WhyNot({ open }: { open: boolean }): JSX.Element | null {
  if (!open || mayVote.value) return null;
  const waits = ["holding", "returned", "arrived"].includes(standing.value);
  return (
    <p class="small" id="poll-why">
      {t(waits ? "audience.poll_waiting" : standing.value === "foreign" || standing.value === "unable" ? `audience.poll_${standing.value}` : "audience.poll_outside")}
    </p>
  );
}

/** Says that a poll has opened or closed, once each, and no figure as it moves. */
export function PollSaid(): JSX.Element {
  const said = useSignal("");
  const poll = card.value;
  useEffect(() => {
    if (poll) said.value = t(poll.open ? "audience.poll_opened" : "audience.poll_ended", { question: poll.question });
  }, [poll?.id, poll?.open]);
  return (
    <div class="hidden" aria-live="polite" aria-atomic="true">
      {said.value}
    </div>
  );
}

/** All that are closed, with what came of them: among the questions, as what was asked and decided. */
export function ClosedPolls(): JSX.Element | null {
  if (!closed.value.length) return null;
  return (
    <details class="closed-polls">
      <summary>{t("audience.polls", { count: closed.value.length })}</summary>
      {closed.value.map((poll) => {
        const figures = figuresOf(poll, null);
        return (
          <section key={poll.id} class="question-card" aria-labelledby={`poll-${poll.id}`}>
            <p class="head">
              <span class="chip">{t("common.poll_closed")}</span>
              <span class="soft small figure">{clock(poll.closed_at ?? poll.at)}</span>
            </p>
            <h3 class="text" id={`poll-${poll.id}`}>
              <bdi>{poll.question}</bdi>
            </h3>
            <Bars choices={poll.choices} figures={figures} />
            <Voters open={false} figures={figures} />
          </section>
        );
      })}
    </details>
  );
}
