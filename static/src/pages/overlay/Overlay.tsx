import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { allOf, oneOf } from "../../feed/fold";
import { closedOf, openOf } from "../../feed/polls";
import { beside, figure, language, LANGUAGES, pair, pseudonym, t, titled } from "../../i18n";
import { Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { LowerThird, OverlayHall, PollCard, PollFigures, Ticker, TickerMessage } from "../../protocol/types";
import { useKeyWords, type Words } from "../../ui/KeyWords";
import { codeOf } from "../../ui/route";
import { type Parameters, words } from "./parameters";
import { Poll } from "./Poll";

declare global {
  interface Window {
    obsstudio?: unknown;
  }
}

/** As long as overlay.css lets a card leave. */
const OUT_MS = 200;

const link = new Link("overlay", codeOf(), staffTicket("overlay"));
const third = computed(() => {
  void link.version.value;
  return oneOf<LowerThird>(link.view, "lower_third");
});
const issuerKey = computed(() => {
  void link.version.value;
  return oneOf<OverlayHall>(link.view, "hall")?.key ?? null;
});
/** The one that the host has in the picture: no other is in this view. */
const poll = computed(() => {
  void link.version.value;
  return openOf(link.view) ?? closedOf(link.view)[0] ?? null;
});
const ticker = computed(() => {
  void link.version.value;
  return oneOf<Ticker>(link.view, "ticker")?.on ? allOf<TickerMessage>(link.view, "message") : [];
});

/** The last right state stays on the picture whatever becomes of the connection. */
export function Overlay({ chosen }: { chosen: Parameters }): JSX.Element {
  const questions = chosen.key !== "only" && chosen.poll !== "only";
  const sample = useSample(chosen.test && questions);
  const wanted = sample ?? third.value;
  const ours = wanted?.id && questions && !chosen.queueonly && (!chosen.bureau || chosen.bureau === wanted.department?.id);
  const shown = useShown(ours ? wanted : null, chosen);
  const keyed = useKeyWords(chosen.key === "off" || chosen.poll === "only" ? null : issuerKey.value);
  const key = useShown(useKeyCard(chosen.test && chosen.key === "only" ? SAMPLE_WORDS : keyed), chosen);
  const polls = chosen.poll !== "off" && chosen.key !== "only" && !chosen.queueonly && !chosen.onlyquestions;
  const sampled = useSamplePoll(chosen.test && chosen.poll === "only");
  const polled = useShown(sampled ?? (polls ? poll.value : null), chosen);
  // A picture holds no more than two cards: the question on air, the key while it is read out, and the poll, in this order.
  const cards = (shown.card ? 1 : 0) + (key.card ? 1 : 0);
  const votes = cards < 2 ? polled.card : null;
  // The ticker makes room for two cards, and for a poll, which has many lines.
  const room = questions && cards < 2 && !votes;
  const lines = chosen.ticker && !chosen.onlyquestions && room ? ticker.value.slice(-chosen.limit) : [];
  if (chosen.reverse) lines.reverse();
  useStyles(chosen);
  const outside = !window.obsstudio;
  const empty = !shown.card && !key.card && !votes && !lines.length;
  return (
    <div class={`overlay ${chosen.theme} ${chosen.compact ? "compact" : ""} ${chosen.aligntop ? "top" : ""} ${chosen.alignright ? "right" : ""} ${chosen.bubble ? "bubble" : ""} ${chosen.motion ? "" : "still"} ${chosen.smooth ? "smooth" : ""} ${outside && empty ? "outside" : ""}`}>
      {outside && (empty || chosen.test) && (
        <div class="note" role="status">
          {empty && (
            <>
              <strong>{link.state.value === "ended" ? t("overlay.ended", { why: link.ended.value }) : t("overlay.waiting")}</strong>
              <span>{t("overlay.waiting_how")}</span>
            </>
          )}
          <span>
            {link.state.value === "live" ? "●" : "○"} {t(link.state.value === "live" ? "overlay.connected" : "overlay.not_connected")}
          </span>
        </div>
      )}
      {!outside && chosen.test && (
        <div class="note">
          {link.state.value === "live" ? "●" : "○"} {t(link.state.value === "live" ? "overlay.connected" : "overlay.not_connected")}
        </div>
      )}
      {lines.length > 0 && (
        <ul class="ticker">
          {lines.map((one) => (
            <li key={one.id}>
              <p>
                {!chosen.hidenames && <bdi class="name">{pseudonym(one.who)}</bdi>} <bdi>{words(one.text, chosen)}</bdi>
              </p>
            </li>
          ))}
        </ul>
      )}
      {votes && <Poll poll={votes} live={sampled ? SAMPLE_FIGURES : link.gauges.value.poll} leaving={polled.leaving} tight={cards > 0} chosen={chosen} />}
      {key.card && <KeyCard words={key.card.words} leaving={key.leaving} chosen={chosen} />}
      {shown.card && <Card card={shown.card} leaving={shown.leaving} chosen={chosen} />}
    </div>
  );
}

/** The issuer's key to be read out: in the overlay's language, and small in the others, since pages show it in their own. */
function KeyCard({ words, leaving, chosen }: { words: Words; leaving: boolean; chosen: Parameters }): JSX.Element {
  const others = LANGUAGES.filter((lang) => lang !== language.value);
  return (
    <section class={`third key ${leaving ? `out-${chosen.animateout}` : `in-${chosen.animatein}`}`} lang={language.value}>
      <p class="head">
        <span class="tag">{t("overlay.key")}</span>
      </p>
      <ol class="words">
        {words.map((one, place) => (
          <li key={place}>
            {pair(one)}
            {others.map((lang) => (
              <span key={lang} class="name" lang={lang}>
                {pair(one, lang)}
              </span>
            ))}
          </li>
        ))}
      </ol>
      <p class="director">{t("overlay.key_how")}</p>
    </section>
  );
}

function Card({ card, leaving, chosen }: { card: LowerThird; leaving: boolean; chosen: Parameters }): JSX.Element {
  const text = words(card.text, chosen);
  const typed = useTyped(text, chosen.typewriter && chosen.motion);
  const length = text.length;
  const support = link.gauges.value.support[card.id ?? 0] ?? card.support ?? 0;
  return (
    <section key={card.id} class={`third ${leaving ? `out-${chosen.animateout}` : `in-${chosen.animatein}`} ${length > 220 ? "xlong" : length > 120 ? "long" : length > 55 ? "middle" : ""}`} lang={document.documentElement.lang}>
      <p class="head">
        <span class="tag">{chosen.label || t("overlay.question")}</span>
        {!chosen.hidenames && card.who && <bdi class="name">{pseudonym(card.who)}</bdi>}
        {(card.voices ?? 1) > 1 && <span class="name">{t("overlay.voices", { count: card.voices! })}</span>}
        <span class="grow" />
        {!chosen.notime && support > 0 && <span class="support">{t("overlay.support", { count: figure(support) })}</span>}
      </p>
      <p class="text">
        <bdi>
          {typed < text.length ? (
            <>
              {text.slice(0, typed)}
              <span class="untyped">{text.slice(typed)}</span>
            </>
          ) : (
            text
          )}
        </bdi>
      </p>
      {card.director && (
        <p class="director">
          {!chosen.compact && <span class="department">{beside(card.department, card.director)}</span>}
          <strong>{titled(card.director)}</strong>
          {card.answering && <span class="answering">{t("overlay.answering")}</span>}
        </p>
      )}
    </section>
  );
}

/** What is on the picture: comes after the delay, leaves with its movement, by itself when its time is over. */
function useShown<T extends { id: number | null }>(wanted: T | null, chosen: Parameters): { card: T | null; leaving: boolean } {
  const [card, setCard] = useState<T | null>(null);
  const [leaving, setLeaving] = useState(false);
  const [over, setOver] = useState<number | null>(null);
  const here = wanted && wanted.id !== over ? wanted : null;
  useEffect(() => {
    if (wanted?.id !== over) setOver(null);
    if (here) {
      const timer = setTimeout(() => {
        setLeaving(false);
        setCard(here);
      }, card?.id === here.id ? 0 : chosen.delaytime);
      return () => clearTimeout(timer);
    }
    if (!card) return undefined;
    setLeaving(true);
    const timer = setTimeout(() => setCard(null), chosen.animateout === "none" || !chosen.motion ? 0 : OUT_MS);
    return () => clearTimeout(timer);
  }, [wanted, over]);
  useEffect(() => {
    if (!card || !chosen.showtime) return undefined;
    const timer = setTimeout(() => setOver(card.id), chosen.showtime);
    return () => clearTimeout(timer);
  }, [card?.id]);
  return { card, leaving };
}

const SAMPLE_WORDS: Words = [0, 1, 2, 3, 4, 5].map((place) => [place, place] as const);

const SAMPLE_FIGURES: PollFigures = { id: 1, voters: 240, counts: [132, 81, 27] };

/** What `?test=1` shows where there is nothing but the poll. */
function useSamplePoll(on: boolean): PollCard | null {
  return useMemo(() => {
    const choices = [1, 2, 3].map((place) => t(`overlay.sample_choice_${place}`));
    return on ? { k: "poll", id: 1, question: t("overlay.sample_poll"), choices, open: true, at: 0 } : null;
  }, [on]);
}

/** The words as a card, the same one as long as they are the same; none: null. */
function useKeyCard(words: Words): { id: number; words: Words } | null {
  return useMemo(() => (words.length ? { id: 1, words } : null), [words]);
}

/** The same one at each drawing, or it would be drawn again and again. */
function useSample(on: boolean): LowerThird | null {
  return useMemo(() => (on ? sampleThird() : null), [on]);
}

function sampleThird(): LowerThird {
  const who: [number, number, number] = [0, 0, 27];
  return {
    k: "lower_third",
    id: 1,
    text: t("overlay.sample"),
    who,
    department: { id: "sample", ko: t("overlay.sample_department"), en: t("overlay.sample_department") },
    director: { id: "sample", department: "sample", name: t("overlay.sample_director"), name_en: t("overlay.sample_director") },
    support: 128,
    voices: 1,
    answering: true,
  } as LowerThird;
}

/** How far the typewriter is, in UTF-16 units. The rest of the text keeps its place, so that the card does not grow. */
function useTyped(text: string, on: boolean): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    setCount(0);
    if (!on) return undefined;
    const timer = setInterval(() => setCount((now) => (now >= text.length ? (clearInterval(timer), now) : now + (text.codePointAt(now)! > 0xffff ? 2 : 1))), 28);
    return () => clearInterval(timer);
  }, [text, on]);
  return on ? count : text.length;
}

/** Sizes and colours as custom properties; a producer's own styles as a constructed sheet, which the policy allows. */
function useStyles(chosen: Parameters): void {
  useEffect(() => {
    const root = document.documentElement.style;
    root.setProperty("--scale", String(chosen.scale));
    root.setProperty("--safe", String(chosen.safe));
    root.setProperty("--stroke", `${chosen.strokewidth}px ${chosen.strokecolor}`);
    if (chosen.fontcolor) root.setProperty("--text-colour", chosen.fontcolor);
    if (chosen.namecolor) root.setProperty("--name-colour", chosen.namecolor);
    if (chosen.font) root.setProperty("--font", `"${chosen.font}", sans-serif`);
    if (chosen.chroma) document.body.style.background = chosen.chroma;
    document.title = t("overlay.page");
    if (!chosen.css) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(chosen.css);
    document.adoptedStyleSheets = [sheet];
  }, []);
}
