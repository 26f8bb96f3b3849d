import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { allOf, oneOf } from "../../feed/fold";
import { beside, figure, pseudonym, t, titled } from "../../i18n";
import { Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { LowerThird, Ticker, TickerMessage } from "../../protocol/types";
import { codeOf } from "../../ui/route";
import { type Parameters, words } from "./parameters";

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
const ticker = computed(() => {
  void link.version.value;
  return oneOf<Ticker>(link.view, "ticker")?.on ? allOf<TickerMessage>(link.view, "message") : [];
});

/** The last right state stays on the picture whatever becomes of the connection. */
export function Overlay({ chosen }: { chosen: Parameters }): JSX.Element {
  const sample = useSample(chosen.test);
  const wanted = sample ?? third.value;
  const ours = wanted?.id && !chosen.queueonly && (!chosen.bureau || chosen.bureau === wanted.department?.id);
  const shown = useShown(ours ? wanted : null, chosen);
  const lines = chosen.ticker && !chosen.onlyquestions ? ticker.value.slice(-chosen.limit) : [];
  if (chosen.reverse) lines.reverse();
  useStyles(chosen);
  const outside = !window.obsstudio;
  const empty = !shown.card && !lines.length;
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
      {shown.card && <Card card={shown.card} leaving={shown.leaving} chosen={chosen} />}
    </div>
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
function useShown(wanted: LowerThird | null, chosen: Parameters): { card: LowerThird | null; leaving: boolean } {
  const [card, setCard] = useState<LowerThird | null>(null);
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

function useSample(on: boolean): LowerThird | null {
  if (!on) return null;
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
