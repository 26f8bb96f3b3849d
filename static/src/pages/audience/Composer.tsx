import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { language, t } from "../../i18n";
import { type Hint, hints as hintsIn } from "../../hints/hints";
import type { Outbox } from "../../link/outbox";
import { later } from "../../ui/later";
import { Icon } from "../../ui/parts";
import { session } from "../../ui/storage";
import { code, standing } from "./enter";
import { newcomer } from "./participation";
import { hall, link } from "./state";

const Stored = later(async () => (await import("./Stored")).Stored);

const DRAFT = `townhall.${code}.draft`;

/** Letters as a reader counts them. */
export function graphemes(text: string, lang: string): number {
  let count = 0;
  for (const _ of new Intl.Segmenter(lang, { granularity: "grapheme" }).segment(text)) count++;
  return count;
}

export function Composer({ outbox }: { outbox: Outbox }): JSX.Element {
  const text = useSignal(session.getItem(DRAFT) ?? "");
  const asked = useSignal(false);
  const explained = useSignal(false);
  const hinted = useSignal<Hint[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  const now = useSignal(Date.now());
  const state = hall.value;
  const most = link.hello.value?.limits?.["text_graphemes"] ?? 300;
  const count = graphemes(text.value.trim(), language.value);
  const wait = Math.max(0, Math.ceil((outbox.waitUntil.value - now.value) / 1000));

  useEffect(() => {
    if (outbox.waitUntil.value <= Date.now()) return undefined;
    now.value = Date.now();
    const timer = setInterval(() => {
      now.value = Date.now();
      if (now.value > outbox.waitUntil.value) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [outbox.waitUntil.value]);
  useEffect(() => {
    session.setItem(DRAFT, text.value);
    const box = field.current!;
    box.style.height = "auto";
    box.style.height = `${Math.min(160, box.scrollHeight + 2)}px`;
  }, [text.value]);

  const closed = state?.phase === "closed";
  const why = closed ? t("audience.closed") : state?.phase === "draft" ? t("audience.draft") : state?.paused ? t("audience.paused") : state?.newcomers_wait && newcomer.value ? t("audience.newcomers") : "";
  const hint = hints(state?.mode, state?.slow_s);
  const outside = standing.value !== "free" && standing.value !== "in";
  const ready = !why && !outside && count > 0 && count <= most && !wait;

  function send(anyway = false): void {
    if (!ready) return;
    // A hint, not a hurdle: it is said once, and whoever wrote it decides.
    const found = anyway ? [] : hintsIn(text.value);
    if (found.length) {
      hinted.value = found;
      return;
    }
    hinted.value = [];
    outbox.post(text.value.trim(), asked.value);
    if (state?.slow_s) outbox.waitUntil.value = Date.now() + state.slow_s * 1000;
    text.value = "";
    asked.value = false;
    field.current?.focus();
  }

  return (
    <form
      class="composer"
      id="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {why && (
        <p class="why" role="status">
          {why}
        </p>
      )}
      {!why && hint && (
        <p class="hint small soft" id="hint">
          {hint}
        </p>
      )}
      {hinted.value.length > 0 && (
        <div class="hints" role="alert">
          <p>
            {t("audience.hint")} {hinted.value.map((one) => t(`audience.hints.${one}`)).join(" · ")}
          </p>
          <div class="row">
            <button
              class="button small"
              type="button"
              onClick={() => {
                hinted.value = [];
                field.current?.focus();
              }}
            >
              {t("audience.hint_edit")}
            </button>
            <button class="button quiet small" type="button" onClick={() => send(true)}>
              {t("audience.hint_send")}
            </button>
          </div>
        </div>
      )}
      <div class="writing">
        <label class="hidden" for="text">
          {t("audience.composer")}
        </label>
        <textarea
          id="text"
          ref={field}
          class="field"
          rows={1}
          value={text.value}
          disabled={closed || outside}
          placeholder={t(asked.value ? "audience.placeholder_question" : "audience.placeholder")}
          aria-describedby="hint counter"
          aria-invalid={count > most ? "true" : undefined}
          enterkeyhint="send"
          onInput={(event) => {
            text.value = event.currentTarget.value;
            hinted.value = [];
          }}
          onKeyDown={(event) => {
            // While a Korean syllable is being composed, Enter belongs to the input method.
            if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
            event.preventDefault();
            send();
          }}
        />
        <button class="button primary send" type="submit" disabled={!ready} aria-label={wait ? t("audience.send_in", { seconds: wait }) : t("common.send")}>
          {wait ? <span class="figure">{wait}</span> : <Icon name="send" />}
        </button>
      </div>
      <div class="row below">
        <label class="ask">
          <input type="checkbox" checked={asked.value} disabled={closed || outside} onChange={(event) => (asked.value = event.currentTarget.checked)} />
          {t("audience.ask")}
        </label>
        <span class="grow" />
        <span id="counter" class={`small figure ${count > most ? "over" : "soft"}`} aria-live={count > most - 20 ? "polite" : "off"}>
          {count > most ? t("audience.over", { count: count - most }) : count > 0 ? t("audience.left", { count: most - count }) : asked.value ? t("audience.ask_hint") : ""}
        </span>
        <button class="button quiet small" type="button" aria-label={t("audience.lock")} onClick={() => (explained.value = true)}>
          <Icon name="lock" />
        </button>
      </div>
      {explained.value && <Stored outbox={outbox} typed={text.value.trim()} onClose={() => (explained.value = false)} />}
    </form>
  );
}

function hints(mode: string | undefined, slow: number | undefined): string {
  return [mode === "reviewed" ? t("audience.reviewed") : "", slow ? t("audience.slow", { seconds: slow }) : ""].filter(Boolean).join(" ");
}
