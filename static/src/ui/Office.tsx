/** The frame of the two organisers' pages: a list, one thing out of it or a new one, looked at again every few seconds. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { Menu, Preferences, Toasts } from "./parts";

const LOOK_MS = 4_000;

interface Frame {
  /** `organiser`, `issuer`: section of the catalogue, with `title` and `back`. */
  section: string;
  refresh: () => Promise<void>;
  problem: string;
  /** Back to the list; null: that is what is shown. */
  back: (() => void) | null;
  children: ComponentChildren;
}

export function Office({ section, refresh, problem, back, children }: Frame): JSX.Element {
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    document.title = t(`${section}.title`);
  });
  return (
    <div class={`office ${section}`}>
      <header>
        <h1 class="grow">{t(`${section}.title`)}</h1>
        <Menu label={t("common.theme")}>
          <Preferences />
        </Menu>
      </header>
      {problem && (
        <div class="bar ended" role="alert">
          {problem}
        </div>
      )}
      <main>
        {back && (
          <button class="button quiet back" type="button" onClick={back}>
            ← {t(`${section}.back`)}
          </button>
        )}
        {children}
      </main>
      <Toasts />
    </div>
  );
}

interface Listed<T> {
  section: string;
  /** In the section: the heading. */
  name: string;
  about?: string;
  /** Begin a new one; null: not yet. */
  add: (() => void) | null;
  /** Null: not known yet. */
  items: readonly T[] | null;
  children: (item: T) => JSX.Element;
}

/** The list in it, with its heading and the way to a new one. */
export function OfficeList<T>({ section, name, about, add, items, children }: Listed<T>): JSX.Element {
  return (
    <section aria-labelledby={name}>
      <div class="row">
        <h2 id={name} class="grow">
          {t(`${section}.${name}`)}
        </h2>
        <button class="button primary" type="button" disabled={!add} onClick={add ?? undefined}>
          {t(`${section}.new`)}
        </button>
      </div>
      {about && <p class="small soft">{about}</p>}
      {items?.length === 0 && <p class="empty soft">{t(`${section}.none`)}</p>}
      <ul class="halls">{items?.map(children)}</ul>
    </section>
  );
}
