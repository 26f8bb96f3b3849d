/** The frame of the pages before a town hall: a mark, a heading, what is to be done, and what is stored of it. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { Icon, Preferences } from "./parts";

interface Asked {
  section: string;
  heading?: string;
  lead: string;
  stored?: ComponentChildren;
  children: ComponentChildren;
}

/** `section`: of the catalogue, with `heading` and `stored`. `lead`: under the heading. `stored`: sentences under what is done. */
export function Entrance({ section, heading = t(`${section}.heading`), lead, stored, children }: Asked): JSX.Element {
  useEffect(() => {
    document.title = heading;
  });
  return (
    <div class="entrance">
      <main>
        <div class="mark" aria-hidden="true">
          <img src="/favicon.svg" alt="" width="56" height="56" />
        </div>
        <h1>{heading}</h1>
        {lead && <p class="soft">{lead}</p>}
        {children}
        {stored && (
          <section class="stored" aria-labelledby="stored">
            <h2 id="stored">
              <Icon name="lock" /> {t(`${section}.stored`)}
            </h2>
            {stored}
          </section>
        )}
      </main>
      <footer>
        <Preferences />
      </footer>
    </div>
  );
}
