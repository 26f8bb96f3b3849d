/** A poll in the picture: its question, and a bar for each choice that grows as the votes come. */
import type { JSX } from "preact";
import { figuresOf } from "../../feed/polls";
import { figure, t } from "../../i18n";
import type { PollCard, PollFigures } from "../../protocol/types";
import { type Parameters, words } from "./parameters";

interface Shown {
  poll: PollCard;
  live: PollFigures | null;
  leaving: boolean;
  /** Something else is in the picture, so that this takes less of it. */
  tight: boolean;
  chosen: Parameters;
}

export function Poll({ poll, live, leaving, tight, chosen }: Shown): JSX.Element {
  const figures = figuresOf(poll, live);
  const most = figures ? Math.max(...figures.counts) : 0;
  const said = poll.open ? (figures ? "poll_so_far" : "poll_few") : figures ? "poll_voters" : "poll_never";
  const long = poll.question.length > 120 || poll.choices.some((choice) => choice.length > 40);
  return (
    <section class={`third poll ${leaving ? `out-${chosen.animateout}` : `in-${chosen.animatein}`} ${tight ? "tight" : ""} ${long ? "wordy" : ""}`} lang={document.documentElement.lang}>
      <p class="head">
        <span class="tag">{t(poll.open ? "common.poll" : "common.poll_closed")}</span>
        <span class="name said">{t(`common.${said}`, { count: figure(figures?.voters ?? 0) })}</span>
      </p>
      <p class="text">
        <bdi>{words(poll.question, chosen)}</bdi>
      </p>
      <ul>
        {poll.choices.map((choice, place) => {
          const count = figures?.counts[place] ?? 0;
          const share = figures?.shares[place] ?? 0;
          return (
            <li key={place} class={!poll.open && count > 0 && count === most ? "most" : ""}>
              <span class="grown" style={{ width: `${share}%` }} />
              <bdi class="choice">{words(choice, chosen)}</bdi>
              {figures && <span class="votes">{t(figures.about ? "common.poll_votes_about" : "common.poll_votes", { count: figure(count), share })}</span>}
            </li>
          );
        })}
      </ul>
      {poll.open && !chosen.compact && !tight && <p class="director">{t("overlay.poll_how")}</p>}
    </section>
  );
}
