/** Polls: one is written and opened, followed while it is open, and closed; then its result stands with the others. */
import { signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CHOICE_MOST, CHOICES, type Draft, figuresOf, lackOf, line, QUESTION_MOST, trimmed } from "../../feed/polls";
import { clock, t } from "../../i18n";
import type { OpenPoll, PollCard } from "../../protocol/types";
import { Bars, Voters } from "../../ui/Bars";
import { Dialog } from "../../ui/parts";
import { dialog } from "./dialogs";
import { act, closedPolls, hall, link, openPoll, overlay } from "./state";
import { close, Closing, Sheet } from "./Sheet";

const BLANK: Draft = { question: "", choices: ["", ""] };
/** What is being written: it outlives the dialog, which one key too many closes. */
const draft = signal<Draft>(BLANK);

export function Polls(): JSX.Element {
  const poll = openPoll.value;
  return (
    <Dialog title={t("host.polls")} onClose={close}>
      {poll ? <Running key={poll.id} poll={poll} /> : <Write />}
      <Closed />
      <Closing />
    </Dialog>
  );
}

function Write(): JSX.Element {
  const list = useRef<HTMLFieldSetElement>(null);
  const busy = useSignal(false);
  const { question, choices } = draft.value;
  const open = hall.value?.phase === "open";
  const lack = lackOf(draft.value);
  const change = (next: readonly string[]): void => void (draft.value = { question, choices: next });

  /** The field that is at `place` once this is drawn. */
  function focus(place: number): void {
    requestAnimationFrame(() => list.current?.querySelectorAll("input")[place]?.focus());
  }

  async function start(): Promise<void> {
    if (lack || !open || busy.value) return;
    busy.value = true;
    const sent = trimmed(draft.value);
    const done = await act("poll:open", { question: sent.question, choices: sent.choices as OpenPoll["choices"] });
    busy.value = false;
    if (done) draft.value = BLANK;
  }

  return (
    <form
      class="poll-form"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <label>
        <span class="label small">{t("host.poll_question")}</span>
        <textarea class="field" rows={2} maxLength={QUESTION_MOST} value={question} autofocus onInput={(event) => (draft.value = { question: event.currentTarget.value, choices })} />
      </label>
      <fieldset ref={list}>
        <legend class="label small">{t("host.poll_choices", { least: CHOICES[0], most: CHOICES[1] })}</legend>
        {choices.map((text, place) => (
          <div key={place} class="row">
            <input
              class="field grow"
              maxLength={CHOICE_MOST}
              value={text}
              aria-label={t("host.poll_choice", { place: place + 1 })}
              placeholder={t("host.poll_choice", { place: place + 1 })}
              aria-invalid={lack === "same" && line(text) && choices.findIndex((other) => line(other) === line(text)) < place ? "true" : undefined}
              aria-describedby="poll-lack"
              onInput={(event) => change(choices.map((other, at) => (at === place ? event.currentTarget.value : other)))}
            />
            <button
              class="button small"
              type="button"
              disabled={choices.length <= CHOICES[0]}
              onClick={() => {
                change(choices.filter((_, at) => at !== place));
                focus(Math.max(0, place - 1));
              }}
            >
              {t("host.poll_less")}
              <span class="hidden"> {t("host.poll_choice", { place: place + 1 })}</span>
            </button>
          </div>
        ))}
        <button
          class="button small"
          type="button"
          disabled={choices.length >= CHOICES[1]}
          onClick={() => {
            change([...choices, ""]);
            focus(choices.length);
          }}
        >
          {t("host.poll_more")}
        </button>
      </fieldset>
      <p class="small soft" id="poll-lack" role="status">
        {!open ? t("host.poll_not_open") : lack === "same" ? t("host.poll_same") : t("host.poll_how")}
      </p>
      <button class="button primary wide" type="submit" disabled={!!lack || !open || busy.value}>
        {t("host.poll_open")}
      </button>
    </form>
  );
}

function Running({ poll }: { poll: PollCard }): JSX.Element {
  const head = useRef<HTMLHeadingElement>(null);
  const figures = figuresOf(poll, link.gauges.value.poll);
  // The form in which the keyboard was is gone now.
  useEffect(() => head.current?.focus(), []);
  return (
    <section class="poll-card" aria-labelledby="poll-running">
      <p class="row">
        <span class="chip primary">{t("host.poll_running")}</span>
        {overlay.value?.poll && <span class="chip good">{t("host.poll_shown")}</span>}
      </p>
      <h3 id="poll-running" ref={head} tabIndex={-1}>
        <bdi>{poll.question}</bdi>
      </h3>
      <Bars choices={poll.choices} figures={figures} />
      <Voters open figures={figures} />
      <div class="row-actions">
        <OnOverlay />
        <button class="button bad" type="button" onClick={() => (dialog.value = { kind: "poll_close" })}>
          {t("host.poll_close")}
        </button>
      </div>
    </section>
  );
}

function OnOverlay({ small = false }: { small?: boolean }): JSX.Element {
  const on = overlay.value?.poll ?? false;
  return (
    <button class={`button ${small ? "small" : ""}`} type="button" onClick={() => void act("overlay:poll", { on: !on })}>
      {t(on ? "host.poll_off" : "host.poll_on")}
    </button>
  );
}

/** Closing cannot be undone: votes and the key that counted them are destroyed by it. */
export function ClosePoll(): JSX.Element {
  const poll = openPoll.value;
  return (
    <Sheet title={t("host.poll_close_title")} label={t("host.poll_close")} kind="bad" ready={!!poll} next={{ kind: "polls" }} onDone={() => act("poll:close", { poll: poll!.id })}>
      <p class="quoted">{poll?.question}</p>
      <p>{t("host.poll_close_sure")}</p>
    </Sheet>
  );
}

/** The results so far. The last one can be in the picture. */
function Closed(): JSX.Element | null {
  if (!closedPolls.value.length) return null;
  return (
    <section class="polls-closed" aria-labelledby="polls-closed">
      <h3 id="polls-closed">{t("host.poll_results")}</h3>
      {closedPolls.value.map((poll, place) => {
        const figures = figuresOf(poll, null);
        return (
          <article key={poll.id} class="poll-card">
            <p class="row small">
              <strong class="grow">
                <bdi>{poll.question}</bdi>
              </strong>
              <span class="soft figure">{clock(poll.closed_at ?? poll.at)}</span>
            </p>
            <Bars choices={poll.choices} figures={figures} />
            <Voters open={false} figures={figures} />
            {place === 0 && !openPoll.value && hall.value?.phase === "open" && (
              <div class="row-actions">
                <OnOverlay small />
              </div>
            )}
          </article>
        );
      })}
    </section>
  );
}

/** Under the console's head, so that nobody forgets that one is open or still in the picture. */
export function PollBar(): JSX.Element | null {
  const poll = openPoll.value;
  const shown = overlay.value?.poll ?? false;
  if (!poll && !shown) return null;
  return (
    <div class="bar poll-bar">
      <span class="said">{poll ? `${t("host.poll_running")}: ${poll.question}` : t("host.poll_still")}</span>
      {poll && (
        <button class="button small" type="button" onClick={() => (dialog.value = { kind: "polls" })}>
          {t("host.poll_see")}
        </button>
      )}
      <OnOverlay small />
    </div>
  );
}
