/** What was voted, choice by choice. */
import type { JSX } from "preact";
import { figure, t } from "../i18n";
import type { Figures } from "../feed/polls";

/** One choice: its words, and where there are figures, these and a bar as long as its share. `mine`: says that it is one's own. */
export function Bar({ text, place, figures, mine = false }: { text: string; place: number; figures: Figures | null; mine?: boolean }): JSX.Element {
  const share = figures?.shares[place] ?? 0;
  return (
    <>
      <bdi class="grow">{text}</bdi>
      {mine && <span class="chip primary">{t("common.poll_mine")}</span>}
      {figures && (
        <>
          <span class="figure votes">{t(figures.about ? "common.poll_votes_about" : "common.poll_votes", { count: figure(figures.counts[place] ?? 0), share })}</span>
          <span class="track" aria-hidden="true">
            <span style={{ width: `${share}%` }} />
          </span>
        </>
      )}
    </>
  );
}

/** `mine`: the place of one's own choice, as long as that is known. */
export function Bars({ choices, figures, mine = null }: { choices: readonly string[]; figures: Figures | null; mine?: number | null }): JSX.Element {
  return (
    <ul class="bars">
      {choices.map((text, place) => (
        <li key={place} class="bar-row">
          <Bar text={text} place={place} figures={figures} mine={mine === place} />
        </li>
      ))}
    </ul>
  );
}

/** How many have voted, or why that is not told. */
export function Voters({ open, figures }: { open: boolean; figures: Figures | null }): JSX.Element {
  const said = open ? (figures ? "poll_so_far" : "poll_few") : figures ? "poll_voters" : "poll_never";
  return <p class="small soft figure">{t(`common.${said}`, { count: figure(figures?.voters ?? 0) })}</p>;
}
