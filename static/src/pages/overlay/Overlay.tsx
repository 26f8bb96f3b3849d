import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { allOf, oneOf } from "../../feed/fold";
import { figure, named, pseudonym, t, titled } from "../../i18n";
import { Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { LowerThird, Ticker, TickerMessage } from "../../protocol/types";
import { codeOf } from "../../ui/route";
import type { Parameters } from "./parameters";

declare global {
  interface Window {
    obsstudio?: unknown;
  }
}

const OUT_MS = 350;

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
  const shown = useShown(wanted?.id ? wanted : null, chosen);
  useStyles(chosen);
  const outside = !window.obsstudio;
  const empty = !shown.card && !(chosen.ticker && ticker.value.length);
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
      {chosen.ticker && (
        <ul class="ticker">
          {ticker.value.slice(-chosen.limit).map((one) => (
            <li key={one.id}>
              {!chosen.hidenames && <bdi class="name">{pseudonym(one.who)}</bdi>} <bdi>{cut(one.text ?? "", chosen.trim)}</bdi>
            </li>
          ))}
        </ul>
      )}
      {shown.card && !chosen.queueonly && <Card card={shown.card} leaving={shown.leaving} chosen={chosen} />}
    </div>
  );
}

function Card({ card, leaving, chosen }: { card: LowerThird; leaving: boolean; chosen: Parameters }): JSX.Element {
  const text = useTyped(cut(card.text ?? "", chosen.trim), chosen.typewriter && chosen.motion);
  const length = (card.text ?? "").length;
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
        <bdi>{text}</bdi>
      </p>
      {card.director && (
        <p class="director">
          {!chosen.compact && <span class="department">{named(card.department)}</span>}
          <strong>{titled(card.director)}</strong>
          {card.answering && <span class="answering">{t("overlay.answering")}</span>}
        </p>
      )}
    </section>
  );
}

/** What is on the picture: comes after the delay, leaves with its movement, and goes at once when cleared. */
function useShown(wanted: LowerThird | null, chosen: Parameters): { card: LowerThird | null; leaving: boolean } {
  const [card, setCard] = useState<LowerThird | null>(null);
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    if (wanted) {
      const timer = setTimeout(() => {
        setLeaving(false);
        setCard(wanted);
      }, card?.id === wanted.id ? 0 : chosen.delaytime);
      return () => clearTimeout(timer);
    }
    if (!card) return undefined;
    setLeaving(true);
    const timer = setTimeout(() => setCard(null), chosen.animateout === "none" || !chosen.motion ? 0 : Math.min(OUT_MS, 180));
    return () => clearTimeout(timer);
  }, [wanted]);
  useEffect(() => {
    if (!card || !chosen.showtime) return undefined;
    const timer = setTimeout(() => setCard(null), chosen.showtime);
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

function useTyped(text: string, on: boolean): string {
  const [count, setCount] = useState(on ? 0 : text.length);
  useEffect(() => {
    if (!on) return setCount(text.length);
    setCount(0);
    const timer = setInterval(() => setCount((now) => (now >= text.length ? (clearInterval(timer), now) : now + 1)), 28);
    return () => clearInterval(timer);
  }, [text, on]);
  return on ? [...text].slice(0, count).join("") : text;
}

function cut(text: string, most: number): string {
  const letters = [...text];
  return most && letters.length > most ? `${letters.slice(0, most).join("")}…` : text;
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
