import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { named, pseudonym, t, titled } from "../../i18n";
import type { RemoveMessage } from "../../protocol/types";
import { KeyWords, useKeyWords } from "../../ui/KeyWords";
import { Dialog } from "../../ui/parts";
import type { Open } from "./dialogs";
import { keys, labelOf } from "./keymap";
import { ClosePoll, Polls } from "./Polls";
import { close, Closing, Sheet } from "./Sheet";
import { act, admission, departmentOf, directorOf, hall, heldAuthors, link, message, messages, muted, overlay, supportOf } from "./state";

const REMOVALS = ["abuse", "personal_data", "named_person", "off_topic", "duplicate", "spam", "other"] as const;
const DECLINES = ["already_answered", "not_our_remit", "individual_case", "under_law", "other"] as const;
const MUTES = ["abuse", "personal_data", "spam", "other"] as const;
const MUTE_S = [60, 300, 600, 1_800, 3_600, 0];

export function DialogOf({ open }: { open: NonNullable<Open> }): JSX.Element | null {
  switch (open.kind) {
    case "keys":
      return <KeySheet />;
    case "close":
      return <CloseHall />;
    case "muted":
      return <MutedList />;
    case "fingerprint":
      return <Fingerprint />;
    case "polls":
      return <Polls />;
    case "poll_close":
      return <ClosePoll />;
    case "remove":
      return <Reasons title="remove_title" note="remove_note" reasons={REMOVALS} words="removal" done={(reason) => act("message:remove", { message: open.message, reason: reason as RemoveMessage["reason"] })} kind="bad" label="remove" />;
    case "decline":
      return <Decline id={open.message} />;
    case "mute":
      return <Mute id={open.message} />;
    case "defer":
      return <Defer id={open.message} />;
    case "write":
      return <Write id={open.message} />;
    case "route":
      return <Route id={open.message} />;
    case "merge":
      return <Merge id={open.message} />;
    case "erase":
      return (
        <Sheet title={t("host.erase")} label={t("host.erase")} kind="bad" onDone={() => act("message:erase", { message: open.message })}>
          <p>{t("host.erase_sure")}</p>
        </Sheet>
      );
  }
}

function Quoted({ id }: { id: number }): JSX.Element {
  return <p class="quoted">{message(id)?.text}</p>;
}

function Reasons({ title, note, reasons, words, done, kind, label }: { title: string; note: string; reasons: readonly string[]; words: string; done: (reason: string) => Promise<boolean>; kind: string; label: string }): JSX.Element {
  const chosen = useSignal(reasons[0]!);
  return (
    <Sheet title={t(`host.${title}`)} label={t(`host.${label}`)} kind={kind} onDone={() => done(chosen.value)}>
      <Choices title={title} names={reasons} words={words} value={chosen} take={(reason) => void done(reason).then((ok) => ok && close())} />
      <p class="small soft">{t(`host.${note}`)}</p>
    </Sheet>
  );
}

/** Reasons of which one is chosen; with `take`, its figure takes one at once. */
function Choices<T extends string>({ title, names, words, value, take }: { title: string; names: readonly T[]; words: string; value: Signal<T>; take?: (name: T) => void }): JSX.Element {
  function press(event: KeyboardEvent): void {
    const name = names[Number(event.key) - 1];
    if (take && name) take(name);
  }
  return (
    <fieldset class="choices" onKeyDown={press}>
      <legend class="hidden">{t(`host.${title}`)}</legend>
      {names.map((name, place) => (
        <label key={name}>
          <input type="radio" name="reason" checked={value.value === name} onChange={() => (value.value = name)} autofocus={place === 0} />
          <span class="grow">{t(`common.${words}.${name}`)}</span>
          {take && <kbd>{place + 1}</kbd>}
        </label>
      ))}
    </fieldset>
  );
}

function Decline({ id }: { id: number }): JSX.Element {
  const reason = useSignal<(typeof DECLINES)[number]>("already_answered");
  const note = useSignal("");
  return (
    <Sheet title={t("host.decline_title")} label={t("host.decline")} onDone={() => act("question:decline", { message: id, reason: reason.value, note: note.value })}>
      <Quoted id={id} />
      <Choices title="decline_title" names={DECLINES} words="decline" value={reason} />
      <Note value={note} />
    </Sheet>
  );
}

function Note({ value }: { value: { value: string } }): JSX.Element {
  return (
    <label>
      <span class="label small">{t("host.note")}</span>
      <input class="field" maxLength={200} value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
    </label>
  );
}

/** A date some days from today, as the date field wants it. */
export function inDays(days: number, today = new Date()): string {
  const date = new Date(today.getFullYear(), today.getMonth(), today.getDate() + days);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

function Defer({ id }: { id: number }): JSX.Element {
  const due = useSignal(inDays(hall.value?.setup.written_due_days ?? 14));
  const note = useSignal("");
  return (
    <Sheet title={t("host.defer_title")} label={t("host.defer")} ready={!!due.value} onDone={() => act("question:defer", { message: id, due: due.value, note: note.value })}>
      <Quoted id={id} />
      <label>
        <span class="label small">{t("host.due")}</span>
        <input class="field" type="date" min={inDays(0)} value={due.value} onInput={(event) => (due.value = event.currentTarget.value)} />
      </label>
      <Note value={note} />
    </Sheet>
  );
}

function Write({ id }: { id: number }): JSX.Element {
  const text = useSignal(message(id)?.fate?.answer?.text ?? "");
  return (
    <Sheet title={t("host.write_title")} label={t("common.save")} ready={!!text.value.trim()} onDone={() => act("question:answer", { message: id, text: text.value })}>
      <Quoted id={id} />
      <textarea class="field" rows={8} aria-label={t("host.write_title")} value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
    </Sheet>
  );
}

function Route({ id }: { id: number }): JSX.Element {
  const one = message(id);
  const suggested = one?.suggested ?? [];
  const setup = hall.value?.setup;
  const words = useSignal("");
  const all = [...suggested.map((director) => directorOf(director)!), ...(setup?.directors ?? []).filter((director) => !suggested.includes(director.id))].filter(Boolean);
  const directors = all.filter((director) => `${titled(director)} ${named(departmentOf(director))}`.toLowerCase().includes(words.value.trim().toLowerCase()));
  const go = (director: string | null): void => void act("question:route", { message: id, director }).then((done) => done && close());
  return (
    <Dialog title={t("host.route_title")} onClose={close}>
      <Quoted id={id} />
      {all.length > 9 && (
        <input
          class="field find"
          type="search"
          value={words.value}
          placeholder={t("host.find_director")}
          aria-label={t("host.find_director")}
          onInput={(event) => (words.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            if (directors[0]) go(directors[0].id);
          }}
        />
      )}
      <div
        class="directors"
        onKeyDown={(event) => {
          const found = directors[Number(event.key) - 1];
          if (found) go(found.id);
        }}
      >
        {directors.map((director, place) => (
          <button key={director.id} class="button" type="button" aria-pressed={one?.director === director.id} autofocus={place === 0} onClick={() => go(director.id)}>
            {place < 9 && <kbd>{place + 1}</kbd>}
            <span class="grow">
              <strong>{titled(director)}</strong>
              <br />
              <span class="small soft">{named(departmentOf(director))}</span>
            </span>
            {suggested.includes(director.id) && <span class="chip primary">{t("host.suggested")}</span>}
          </button>
        ))}
      </div>
      <div class="actions">
        {one?.director && (
          <button class="button" type="button" onClick={() => go(null)}>
            {t("host.route_none")}
          </button>
        )}
        <button class="button" type="button" onClick={close}>
          {t("common.cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** How alike two texts are, 0 to 1: shared pairs of letters (Dice). Only orders the list; merging is the host's act. */
export function alike(a: string, b: string): number {
  const pairs = (text: string): Set<string> => {
    const letters = text.replace(/\s+/g, "");
    return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)));
  };
  const [left, right] = [pairs(a), pairs(b)];
  if (!left.size || !right.size) return 0;
  let both = 0;
  for (const pair of left) if (right.has(pair)) both++;
  return (2 * both) / (left.size + right.size);
}

function Merge({ id }: { id: number }): JSX.Element {
  const one = message(id);
  const targets = messages.value
    .filter((other) => other.id !== id && other.state === "visible" && other.fate && !["merged", "declined"].includes(other.fate.state))
    .map((other) => ({ other, score: alike(one?.text ?? "", other.text ?? "") }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 30);
  return (
    <Dialog title={t("host.merge_title")} onClose={close}>
      <Quoted id={id} />
      {!targets.length && <p class="soft">{t("host.merge_none")}</p>}
      <div class="directors">
        {targets.map(({ other }, place) => (
          <button key={other.id} class="button" type="button" autofocus={place === 0} onClick={() => void act("question:merge", { message: id, into: other.id }).then((done) => done && close())}>
            <span class="grow">
              {other.text}
              <br />
              <span class="small soft">
                {pseudonym(other.who)} · {t(`common.fate.${other.fate!.state}`)} · ▲ {supportOf(other)}
              </span>
            </span>
          </button>
        ))}
      </div>
      <div class="actions">
        <button class="button" type="button" onClick={close}>
          {t("common.cancel")}
        </button>
      </div>
    </Dialog>
  );
}

function Mute({ id }: { id: number }): JSX.Element {
  const reason = useSignal<(typeof MUTES)[number]>("abuse");
  const seconds = useSignal(600);
  return (
    <Sheet title={t("host.mute_title")} label={t("host.mute")} kind="bad" onDone={() => act("author:mute", { message: id, reason: reason.value, seconds: seconds.value })}>
      <Quoted id={id} />
      <Choices title="mute_title" names={MUTES} words="mute" value={reason} />
      <label>
        <span class="label small">{t("host.mute_length")}</span>
        <select class="field" value={String(seconds.value)} onChange={(event) => (seconds.value = Number(event.currentTarget.value))}>
          {MUTE_S.map((one) => (
            <option key={one} value={String(one)}>
              {one === 0 ? t("host.mute_until_end") : one === 3_600 ? t("host.hours", { count: 1 }) : t("host.minutes", { count: one / 60 })}
            </option>
          ))}
        </select>
      </label>
    </Sheet>
  );
}

function MutedList(): JSX.Element {
  const list = muted.value?.authors ?? [];
  const held = heldAuthors.value?.authors ?? [];
  return (
    <Dialog title={t("host.muted")} onClose={close}>
      {!list.length && <p class="soft">{t("host.nobody_muted")}</p>}
      {list.map((one) => (
        <p class="row" key={one.tag}>
          <span class="grow">
            {pseudonym(one.who)} · {t(`common.mute.${one.reason}`)}
          </span>
          <button class="button small" type="button" onClick={() => void act("author:unmute", { author: one.tag })}>
            {t("host.unmute")}
          </button>
        </p>
      ))}
      {held.length > 0 && <h3>{t("host.held_authors")}</h3>}
      {held.map((one) => (
        <p class="row" key={one.tag}>
          <span class="grow">{pseudonym(one.who)}</span>
          <button class="button small" type="button" onClick={() => void act("author:release", { author: one.tag })}>
            {t("host.release_author")}
          </button>
        </p>
      ))}
      <Closing />
    </Dialog>
  );
}

/** The words of the issuer's key, to be read out, and whether they are on the overlays. */
function Fingerprint(): JSX.Element {
  const words = useKeyWords(admission.value?.key);
  const on = overlay.value?.key ?? false;
  return (
    <Dialog title={t("host.fingerprint")} onClose={close}>
      <p>{t("host.fingerprint_how")}</p>
      {words.length > 0 ? <KeyWords words={words} /> : <p class="soft">{t("host.fingerprint_none")}</p>}
      <div class="actions">
        <button class="button" type="button" onClick={close}>
          {t("common.close")}
        </button>
        <button class="button primary" type="button" disabled={hall.value?.phase === "closed"} onClick={() => void act("overlay:key", { on: !on })}>
          {t(on ? "host.fingerprint_off" : "host.fingerprint_on")}
        </button>
      </div>
    </Dialog>
  );
}

function CloseHall(): JSX.Element {
  const fates = link.gauges.value.counts.questions ?? {};
  const open = (fates["asked"] ?? 0) + (fates["queued"] ?? 0) + (fates["on_air"] ?? 0);
  return (
    <Sheet title={t("host.close_sure")} label={t("host.close_hall")} kind="bad" onDone={() => act("hall:close", {})}>
      <p class="figure big">{t("host.close_counts", { answered: fates["answered"] ?? 0, deferred: fates["deferred"] ?? 0, open })}</p>
      <p>{t("host.close_explain", { open, days: hall.value?.setup.written_due_days ?? 14 })}</p>
    </Sheet>
  );
}

function KeySheet(): JSX.Element {
  return (
    <Dialog title={t("host.keys")} onClose={close}>
      <p class="small soft">{t("host.keys_help")}</p>
      <dl class="keys">
        {keys
          .all()
          .filter((key) => key.shown)
          .map((key) => (
            <div key={key.code}>
              <dt>
                <kbd>{key.shown}</kbd>
              </dt>
              <dd>{labelOf(key)}</dd>
            </div>
          ))}
        <div>
          <dt>
            <kbd>Esc Esc</kbd>
          </dt>
          <dd>{t("host.key_double_escape")}</dd>
        </div>
      </dl>
      <Closing />
    </Dialog>
  );
}
