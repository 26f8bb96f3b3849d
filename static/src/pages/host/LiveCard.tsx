import type { JSX } from "preact";
import { duration, figure, pseudonym, t } from "../../i18n";
import { useNow } from "../../ui/parts";
import { ask } from "./dialogs";
import { finish, takeNext } from "./keymap";
import { Routing } from "./QueueColumn";
import { act, air, hall, link, message, overlay, preview, queue, supportOf } from "./state";

/** Characters from which a text is set smaller, and may have to be scrolled. */
const LONG = 120;

/** What is on air, and what would be next: seen before it is taken. */
export function LiveCard(): JSX.Element {
  const now = useNow(link.skew.value);
  const state = air.value;
  const live = message(state?.id);
  const next = message(preview.value?.id) ?? queue.value[0];
  const open = hall.value?.phase === "open";
  return (
    <section class="column live" aria-labelledby="live" tabIndex={-1}>
      <div class="tools">
        <h2 id="live">{t("host.live")}</h2>
      </div>
      <div class={`air-card ${live ? "on" : ""}`}>
        {live && state?.since ? (
          <>
            <p class="head">
              <span class="chip on_air live">
                <span class="dot" aria-hidden="true" />
                {t("common.fate.on_air")}
              </span>
              <span class="figure timer" role="timer">
                {duration(now - state.since)}
              </span>
              {state.answering_since && (
                <span class="chip good figure">
                  {t("host.answering")} {duration(now - state.answering_since)}
                </span>
              )}
            </p>
            <p class={`text big ${(live.text ?? "").length > LONG ? "long" : ""}`} tabIndex={(live.text ?? "").length > LONG ? 0 : undefined}>
              <bdi>{live.text}</bdi>
            </p>
            <p class="small soft">
              {pseudonym(live.who)} · ▲ {figure(supportOf(live))}
            </p>
            <Routing one={live} />
            <p class={`small ${overlay.value?.cleared ? "warn-text" : "soft"}`}>{t(overlay.value?.cleared ? "host.cleared" : "host.shown")}</p>
            <div class="row-actions">
              <button class="button primary" type="button" aria-keyshortcuts="X" onClick={finish}>
                {t("host.answered")} <kbd>X</kbd>
              </button>
              <button class="button" type="button" onClick={() => ask("route", live.id)}>
                {t("host.route")}
              </button>
              <button class="button" type="button" aria-keyshortcuts="D" onClick={() => ask("defer", live.id)}>
                {t("host.defer")} <kbd>D</kbd>
              </button>
              <button class="button" type="button" onClick={() => void act("question:requeue", { message: live.id })}>
                {t("host.requeue")}
              </button>
              {overlay.value?.cleared && (
                <button class="button" type="button" onClick={() => void act("overlay:show", {})}>
                  {t("host.show")}
                </button>
              )}
            </div>
          </>
        ) : (
          <p class="empty soft">{t("host.nothing_on_air")}</p>
        )}
      </div>
      <div class="preview-card">
        <p class="label small">{preview.value?.id ? t("host.in_preview") : t("host.next_up")}</p>
        {next ? (
          <>
            <p class="text" tabIndex={(next.text ?? "").length > LONG ? 0 : undefined}>
              <bdi>{next.text}</bdi>
            </p>
            <Routing one={next} />
          </>
        ) : (
          <p class="soft small">{t("host.nothing_in_preview")}</p>
        )}
        <button class="button air wide" type="button" disabled={!open || !next || !!live} aria-keyshortcuts="N" onClick={takeNext}>
          {t(preview.value?.id ? "host.take" : "host.next")} <kbd>N</kbd>
        </button>
        {next && live && <p class="small soft centre">{t("host.finish_first")}</p>}
      </div>
    </section>
  );
}
