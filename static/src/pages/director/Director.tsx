import { signal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { day, duration, figure, pseudonym, t, titled } from "../../i18n";
import type { QuestionCard } from "../../protocol/types";
import { ConnectionBar, Dialog, FateChip, Menu, Preferences, Toasts, useNow } from "../../ui/parts";
import { act, air, cards, done, hall, link, mine, reading, todo } from "./state";

/** Of the reading view: 28 pixels of a tablet are about 5 mm, the least that is read at two metres. */
const READABLE_PX = 28;
const HUGE_PX = 112;
/** Characters from which the question that is my turn is set smaller, so that its buttons stay in sight. */
const LONG = 120;

type Open = { kind: "return" | "defer" | "write"; card: QuestionCard } | null;
const dialog = signal<Open>(null);

export function Director(): JSX.Element {
  const me = hall.value?.directors?.find((one) => one.id === link.hello.value?.you?.id);
  const live = mine.value;
  useEffect(() => {
    document.title = live ? `● ${t("director.your_turn")}` : `${t("director.title")} · ${titled(me)}`;
  }, [live?.id, me?.id]);
  const waiting = todo.value.filter((card) => card !== live);
  const large = cards.value.find((card) => card.id === reading.value);
  return (
    <div class={`director ${live ? "turn" : ""}`}>
      <header>
        <div class="grow">
          <h1>{titled(me) || t("director.title")}</h1>
          <p class="soft small">{hall.value?.title}</p>
        </div>
        <Menu label={t("common.theme")}>
          <Preferences />
        </Menu>
      </header>
      <ConnectionBar link={link} />
      {hall.value?.phase === "closed" && <div class="bar">{t("director.closed")}</div>}
      {hall.value?.phase === "draft" && <div class="bar">{t("director.in_minutes")}</div>}
      <main>
        {large ? <Reading card={large} /> : live ? <Turn card={live} /> : null}
        {!large && (
          <>
            {!live && hall.value?.phase === "open" && <p class="status soft">{t(air.value?.id ? "director.other_on_air" : "director.nothing_on_air")}</p>}
            <section aria-labelledby="todo">
              <h2 id="todo">
                {t("director.todo")} <span class="soft figure">{figure(waiting.length)}</span>
              </h2>
              {!waiting.length && !live && <p class="empty soft">{t("director.none")}</p>}
              {waiting.map((card) => (
                <Card key={card.id} card={card} />
              ))}
            </section>
            {done.value.length > 0 && (
              <section aria-labelledby="done">
                <h2 id="done">{t("director.done")}</h2>
                {done.value.map((card) => (
                  <Card key={card.id} card={card} />
                ))}
              </section>
            )}
          </>
        )}
      </main>
      <div class="hidden" role="status" aria-live="assertive">
        {live ? `${t("director.your_turn")}. ${live.text}` : ""}
      </div>
      {dialog.value && <DialogOf open={dialog.value} />}
      <Toasts />
    </div>
  );
}

function supportOf(card: QuestionCard): number {
  return Math.max(link.gauges.value.support[card.id] ?? 0, card.fate.support ?? 0);
}

/** On air, and mine. */
function Turn({ card }: { card: QuestionCard }): JSX.Element {
  const now = useNow(link.skew.value);
  const state = air.value!;
  return (
    <section class="your-turn" aria-label={t("director.your_turn")}>
      <p class="banner">
        <span class="dot" aria-hidden="true" />
        {t("director.your_turn")}
        <span class="grow" />
        <span class="figure" role="timer">
          {state.answering_since ? duration(now - state.answering_since) : state.since ? duration(now - state.since) : ""}
        </span>
      </p>
      <p class={`question ${(card.text ?? "").length > LONG ? "long" : ""}`}>
        <bdi>{card.text}</bdi>
      </p>
      <Meta card={card} />
      <div class="big-actions">
        {!card.accepted && (
          <button class="button" type="button" onClick={() => void act("question:accept", { message: card.id })}>
            {t("director.accept")}
          </button>
        )}
        {!state.answering_since && (
          <button class="button primary" type="button" onClick={() => void act("answer:start", { message: card.id })}>
            {t("director.start")}
          </button>
        )}
        <button class={`button ${state.answering_since ? "primary" : ""}`} type="button" onClick={() => void act("question:finish", { message: card.id })}>
          {t("director.finish")}
        </button>
        <button class="button" type="button" onClick={() => (dialog.value = { kind: "defer", card })}>
          {t("director.defer")}
        </button>
        <button class="button" type="button" onClick={() => (dialog.value = { kind: "return", card })}>
          {t("director.return")}
        </button>
        <button class="button" type="button" onClick={() => (reading.value = card.id)}>
          {t("director.reading")}
        </button>
      </div>
    </section>
  );
}

function Meta({ card }: { card: QuestionCard }): JSX.Element {
  const together = (card.fate.merged?.length ?? 0) + 1;
  return (
    <p class="meta small soft figure">
      {pseudonym(card.who)} · {t("director.support", { count: figure(supportOf(card)) })}
      {together > 1 && ` · ${t("director.together", { count: together })}`}
    </p>
  );
}

function Card({ card }: { card: QuestionCard }): JSX.Element {
  const state = card.fate.state;
  const waiting = state === "queued" || state === "deferred" || state === "on_air";
  return (
    <article class="card question-card">
      <p class="head">
        <FateChip fate={card.fate} />
        {(card.position ?? null) !== null && <span class="chip figure">{card.position === 0 ? t("director.coming") : t("director.in_queue", { count: card.position! + 1 })}</span>}
        {card.accepted && <span class="chip good">{t("director.accepted")}</span>}
        {card.fate.due && <span class="chip warn">{t("common.due", { due: day(card.fate.due) })}</span>}
      </p>
      <p class="text">
        <bdi>{card.text}</bdi>
      </p>
      <Meta card={card} />
      {card.fate.answer?.text && <p class="written">{card.fate.answer.text}</p>}
      <div class="row-actions">
        {waiting && !card.accepted && (
          <button class={`button ${state === "deferred" ? "" : "primary"}`} type="button" onClick={() => void act("question:accept", { message: card.id })}>
            {t("director.accept")}
          </button>
        )}
        {waiting && (
          <button class="button" type="button" onClick={() => (dialog.value = { kind: "return", card })}>
            {t("director.return")}
          </button>
        )}
        {state === "queued" && (
          <button class="button" type="button" onClick={() => (dialog.value = { kind: "defer", card })}>
            {t("director.defer")}
          </button>
        )}
        {state !== "on_air" && (
          <button class={`button ${state === "deferred" ? "primary" : ""}`} type="button" onClick={() => (dialog.value = { kind: "write", card })}>
            {t(card.fate.answer?.text ? "director.edit" : "director.write")}
          </button>
        )}
        <button class="button quiet" type="button" onClick={() => (reading.value = card.id)}>
          {t("director.reading")}
        </button>
      </div>
    </article>
  );
}

/** One question in type that can be read at two metres. */
function Reading({ card }: { card: QuestionCard }): JSX.Element {
  const now = useNow(link.skew.value);
  const onAir = mine.value?.id === card.id;
  const text = useFitted(card.text ?? "");
  return (
    <section class={`reading ${onAir ? "on" : ""}`}>
      <p class="row">
        <button class="button" type="button" onClick={() => (reading.value = null)}>
          ← {t("director.list")}
        </button>
        <span class="grow" />
        {onAir && (
          <span class="figure timer" role="timer">
            {duration(now - (air.value?.answering_since ?? air.value?.since ?? now))}
          </span>
        )}
      </p>
      <p class="huge" ref={text} tabIndex={0}>
        <bdi>{card.text}</bdi>
      </p>
      <div class="big-actions">
        {onAir && !air.value?.answering_since && (
          <button class="button primary" type="button" onClick={() => void act("answer:start", { message: card.id })}>
            {t("director.start")}
          </button>
        )}
        {onAir && (
          <button class={`button ${air.value?.answering_since ? "primary" : ""}`} type="button" onClick={() => void act("question:finish", { message: card.id }).then((ok) => ok && (reading.value = null))}>
            {t("director.finish")}
          </button>
        )}
      </div>
    </section>
  );
}

/** The largest type in which a text fits its place, from HUGE_PX down to READABLE_PX; a longer one scrolls. */
function useFitted(text: string): RefObject<HTMLParagraphElement | null> {
  const ref = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    const box = ref.current!;
    const fit = (): void => {
      let [fits, spills] = [READABLE_PX, HUGE_PX + 1];
      while (spills - fits > 1) {
        const tried = Math.floor((fits + spills) / 2);
        box.style.fontSize = `${tried}px`;
        if (box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth) fits = tried;
        else spills = tried;
      }
      box.style.fontSize = `${fits}px`;
    };
    fit();
    const watch = new ResizeObserver(fit);
    watch.observe(box);
    return () => watch.disconnect();
  }, [text]);
  return ref;
}

function DialogOf({ open }: { open: NonNullable<Open> }): JSX.Element {
  const close = (): void => void (dialog.value = null);
  const { card } = open;
  const submit = (event: Event, done: Promise<boolean>): void => {
    event.preventDefault();
    void done.then((ok) => ok && close());
  };
  const value = (event: Event, name: string): string => String(new FormData(event.currentTarget as HTMLFormElement).get(name) ?? "");
  const actions = (label: string): JSX.Element => (
    <div class="actions">
      <button class="button" type="button" onClick={close}>
        {t("common.cancel")}
      </button>
      <button class="button primary" type="submit">
        {label}
      </button>
    </div>
  );
  switch (open.kind) {
    case "return":
      return (
        <Dialog title={t("director.return_title")} onClose={close}>
          <form onSubmit={(event) => submit(event, act("question:return", { message: card.id, reason: value(event, "reason") }))}>
            <p class="quoted">{card.text}</p>
            <label>
              <span class="label small">{t("director.return_reason")}</span>
              <input class="field" name="reason" required maxLength={200} placeholder={t("director.return_hint")} autofocus />
            </label>
            {actions(t("director.return"))}
          </form>
        </Dialog>
      );
    case "defer":
      return (
        <Dialog title={t("director.defer_title")} onClose={close}>
          <form onSubmit={(event) => submit(event, act("question:defer", { message: card.id, due: value(event, "due"), note: value(event, "note") }))}>
            <p class="quoted">{card.text}</p>
            <label>
              <span class="label small">{t("director.due")}</span>
              <input class="field" type="date" name="due" required defaultValue={card.fate.due ?? soon()} />
            </label>
            <label>
              <span class="label small">{t("director.note")}</span>
              <input class="field" name="note" maxLength={200} />
            </label>
            {actions(t("director.defer"))}
          </form>
        </Dialog>
      );
    case "write":
      return (
        <Dialog title={t("director.write_title")} onClose={close}>
          <form onSubmit={(event) => submit(event, act("question:answer", { message: card.id, text: value(event, "text") }))}>
            <p class="quoted">{card.text}</p>
            <textarea class="field" name="text" rows={9} required defaultValue={card.fate.answer?.text ?? ""} aria-label={t("director.write_title")} autofocus />
            <p class="small soft">{t("director.write_hint")}</p>
            {actions(t("common.save"))}
          </form>
        </Dialog>
      );
  }
}

function soon(): string {
  const date = new Date(Date.now() + 7 * 86_400_000);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}
