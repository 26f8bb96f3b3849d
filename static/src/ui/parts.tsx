/** Small things that several pages show. */
import { signal } from "@preact/signals";
import { Component, type ComponentChildren, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { change, language, t } from "../i18n";
import type { Link } from "../link/link";
import type { Fate } from "../protocol/types";
import { setTheme, theme, type Theme } from "./theme";

/** Draws its children again only when `item` is another object. */
export class Kept<T> extends Component<{ item: T; also?: unknown; draw: (item: T) => JSX.Element }> {
  override shouldComponentUpdate(next: { item: T; also?: unknown }): boolean {
    return next.item !== this.props.item || next.also !== this.props.also;
  }
  override render(): JSX.Element {
    return this.props.draw(this.props.item);
  }
}

export function FateChip({ fate }: { fate: Fate }): JSX.Element {
  return (
    <span class={`chip ${fate.state} ${fate.state === "on_air" ? "live" : ""}`}>
      {fate.state === "on_air" && <span class="dot" aria-hidden="true" />}
      {t(`common.fate.${fate.state}`)}
    </span>
  );
}

/** Says when the connection is not what it should be. */
export function ConnectionBar({ link }: { link: Link }): JSX.Element | null {
  const state = link.state.value;
  const was = useRef(state);
  const [back, setBack] = useState(false);
  useEffect(() => {
    if (state === "live" && was.current === "reconnecting") {
      setBack(true);
      const timer = setTimeout(() => setBack(false), 2_500);
      was.current = state;
      return () => clearTimeout(timer);
    }
    was.current = state;
    return undefined;
  }, [state]);
  const words =
    state === "connecting" ? t("common.connecting") : state === "reconnecting" ? t("common.reconnecting") : state === "ended" ? link.ended.value || t("common.ended") : back ? t("common.back") : "";
  return (
    <div role="status" aria-live="polite">
      {words && (
        <div class={`bar ${state === "ended" ? "ended" : state === "live" ? "good" : ""}`}>
          <span>{words}</span>
          {state === "ended" && (
            <button class="button small" type="button" onClick={() => location.reload()}>
              {t("common.reload")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

export function Preferences({ children }: { children?: ComponentChildren }): JSX.Element {
  return (
    <>
      <div>
        <span class="label small" id="pref-language">
          {t("common.language")}
        </span>
        <div class="segments" role="group" aria-labelledby="pref-language">
          {(["ko", "en"] as const).map((lang) => (
            <button type="button" key={lang} lang={lang} aria-pressed={language.value === lang} onClick={() => void change(lang)}>
              {t(lang === "ko" ? "common.korean" : "common.english")}
            </button>
          ))}
        </div>
      </div>
      <div>
        <span class="label small" id="pref-theme">
          {t("common.theme")}
        </span>
        <div class="segments" role="group" aria-labelledby="pref-theme">
          {(["auto", "light", "dark"] as Theme[]).map((name) => (
            <button type="button" key={name} aria-pressed={theme.value === name} onClick={() => setTheme(name)}>
              {t(`common.${name}`)}
            </button>
          ))}
        </div>
      </div>
      {children}
    </>
  );
}

export function Menu({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <details
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !event.currentTarget.open) return;
        event.currentTarget.open = false;
        event.preventDefault(); // it closed the menu, and is no more than that
      }}
    >
      <summary class="button quiet" aria-label={label}>
        <Icon name="settings" />
      </summary>
      <div>{children}</div>
    </details>
  );
}

const PATHS = {
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.500v5M6 14.500v5",
  up: "M12 19V6M6 11l6-6 6 6",
  send: "M4 12 20 4l-5 16-3.500-6.500z",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.500 11h13v9h-13z",
  question: "M9 9a3 3 0 1 1 4 2.830c-.7.25-1 .8-1 1.670v.5M12 17.500v.01",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M2.500 20c.5-3.500 3-5.500 6.500-5.500s6 2 6.500 5.500M16 4.500a3.500 3.500 0 0 1 0 6.500M18 15c2 .8 3.200 2.500 3.500 5",
  check: "M5 12.500 10 17.500 19.500 7",
  close: "M6 6l12 12M18 6 6 18",
  play: "M8 5v14l11-7z",
  choose: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17",
  chosen: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17M8 12.250l3 3 5.250-6",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A modal dialog; Escape and the backdrop close it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby="dialog-title"
      onClose={onClose}
      onClick={(event) => event.target === ref.current && ref.current?.close()}
    >
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

interface Toasted {
  id: number;
  words: string;
  bad: boolean;
}
const toasts = signal<Toasted[]>([]);
let toastNumber = 0;

export function toast(words: string, bad = false): void {
  const id = ++toastNumber;
  toasts.value = [...toasts.value.slice(-3), { id, words, bad }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), bad ? 7_000 : 3_500);
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div class={`toast ${one.bad ? "bad" : ""}`} key={one.id}>
          {one.words}
        </div>
      ))}
    </div>
  );
}

/** A running clock: draws every second. `skew`: the server's clock minus ours. */
export function useNow(skew = 0): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now + skew;
}
