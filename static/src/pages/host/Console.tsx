import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { figure, t } from "../../i18n";
import { ConnectionBar, Icon, Menu, Preferences, Toasts } from "../../ui/parts";
import { DialogOf } from "./Dialogs";
import { dialog } from "./dialogs";
import { keys, useKeys } from "./keymap";
import { LiveCard } from "./LiveCard";
import { QueueColumn } from "./QueueColumn";
import { PollBar } from "./Polls";
import { act, admission, hall, link, muted, overlay } from "./state";
import { Stream } from "./Stream";

const SLOW = [0, 3, 5, 10, 30, 60, 120, 300];
/** Minutes back: whoever came within them waits with the newcomers. */
const CAME_WITH_IT = [5, 15, 30, 60];

export function Console(): JSX.Element {
  useKeys();
  const setup = hall.value;
  useEffect(() => {
    document.title = `${t("host.title")} · ${setup?.setup.title ?? ""}`;
  }, [setup?.setup.title]);
  return (
    <div class="console">
      <header>
        <div class="who">
          <h1 title={setup?.setup.title}>{setup?.setup.title ?? t("host.title")}</h1>
          <p class="soft small figure">
            {setup?.code} · {link.hello.value?.you?.name} · {t("host.viewers", { count: figure(link.gauges.value.viewers) })}
          </p>
        </div>
        {setup && <Toolbar />}
        <Menu label={t("host.more")}>
          <Preferences>
            <label class="row">
              <input type="checkbox" checked={keys.enabled} onChange={(event) => keys.switch(event.currentTarget.checked)} />
              {t("host.keys_on")}
            </label>
            <button class="button" type="button" onClick={() => (dialog.value = { kind: "muted" })}>
              {t("host.muted")} ({muted.value?.authors.length ?? 0})
            </button>
            {admission.value && (
              <button class="button" type="button" aria-keyshortcuts="F" onClick={() => (dialog.value = { kind: "fingerprint" })}>
                {t("host.fingerprint")} <kbd>F</kbd>
              </button>
            )}
            {setup?.phase === "open" && (
              <button class="button bad" type="button" onClick={() => (dialog.value = { kind: "close" })}>
                {t("host.close_hall")}
              </button>
            )}
          </Preferences>
        </Menu>
      </header>
      <div>
        <ConnectionBar link={link} />
        {setup?.phase === "draft" && (
          <div class="bar">
            {t("host.draft")}
            <button class="button small primary" type="button" onClick={() => void act("hall:open", {})}>
              {t("host.open_hall")}
            </button>
          </div>
        )}
        {overlay.value?.key && (
          <div class="bar">
            {t("host.fingerprint_shown")}
            <button class="button small" type="button" onClick={() => (dialog.value = { kind: "fingerprint" })}>
              {t("host.fingerprint_read")}
            </button>
            <button class="button small" type="button" onClick={() => void act("overlay:key", { on: false })}>
              {t("host.fingerprint_off")}
            </button>
          </div>
        )}
        <PollBar />
        {setup?.phase === "closed" && <div class="bar">{t("host.closed")}</div>}
      </div>
      <main>
        <Stream />
        <QueueColumn />
        <LiveCard />
      </main>
      {dialog.value && <DialogOf open={dialog.value} />}
      <Toasts />
    </div>
  );
}

function Toolbar(): JSX.Element {
  const state = hall.value!;
  const open = state.phase === "open";
  return (
    <div class="toolbar" role="toolbar" aria-label={t("host.title")}>
      <div class="segments" role="group" aria-label={t("host.mode")}>
        {(["open", "reviewed"] as const).map((mode) => (
          <button key={mode} type="button" aria-pressed={state.mode === mode} disabled={state.phase === "closed"} onClick={() => state.mode !== mode && void act("chat:mode", { mode })}>
            {t(`host.mode_${mode}`)}
          </button>
        ))}
      </div>
      <button class="button" type="button" aria-pressed={state.paused ?? false} disabled={!open} onClick={() => void act(state.paused ? "chat:resume" : "chat:pause", {})}>
        {t(state.paused ? "host.resume" : "host.pause")}
      </button>
      <label class="row">
        <span class="small soft">{t("host.slow")}</span>
        <select class="field slow" value={String(state.slow_s ?? 0)} disabled={!open} onChange={(event) => void act("chat:slow", { seconds: Number(event.currentTarget.value) })}>
          {SLOW.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {seconds ? t("host.seconds", { count: seconds }) : t("host.slow_off")}
            </option>
          ))}
        </select>
      </label>
      <label title={t("host.newcomers_why")}>
        <span class="hidden">{t("host.newcomers")}</span>
        <select
          class="field slow newcomers"
          value={state.newcomers_wait ? "on" : "off"}
          disabled={!open}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            event.currentTarget.value = state.newcomers_wait ? "on" : "off";
            if (chosen === "off") void act("newcomers:set", { on: false });
            else if (chosen !== "on") void act("newcomers:set", { on: true, minutes: Number(chosen) });
          }}
        >
          <option value="off">{t("host.newcomers_free")}</option>
          {state.newcomers_wait && <option value="on">{t("host.newcomers_on")}</option>}
          <option value="0">{t("host.newcomers_now")}</option>
          {CAME_WITH_IT.map((minutes) => (
            <option key={minutes} value={String(minutes)}>
              {t("host.newcomers_minutes", { count: minutes })}
            </option>
          ))}
        </select>
      </label>
      <button class="button" type="button" aria-pressed={overlay.value?.ticker ?? false} disabled={!open} onClick={() => void act("overlay:ticker", { on: !overlay.value?.ticker })}>
        {t("host.ticker")}
      </button>
      <button class="button" type="button" aria-haspopup="dialog" aria-keyshortcuts="V" onClick={() => (dialog.value = { kind: "polls" })}>
        {t("host.polls")} <kbd>V</kbd>
      </button>
      <button class="button bad" type="button" onClick={() => void act("overlay:clear", {})} aria-keyshortcuts="Escape Escape">
        <Icon name="close" />
        {t("host.clear")} <kbd>Esc Esc</kbd>
      </button>
      <button class="button quiet" type="button" onClick={() => (dialog.value = { kind: "keys" })} aria-keyshortcuts="?">
        <kbd>?</kbd> {t("host.keys")}
      </button>
    </div>
  );
}
