/** The overlay's URL parameters, under the names that producers know from Social Stream Ninja. A bare name means true. */
export interface Parameters {
  scale: number;
  limit: number;
  showtime: number;
  delaytime: number;
  chroma: string;
  compact: boolean;
  alignbottom: boolean;
  aligntop: boolean;
  alignright: boolean;
  hidenames: boolean;
  notime: boolean;
  trim: number;
  font: string;
  fontcolor: string;
  namecolor: string;
  strokewidth: number;
  strokecolor: string;
  bubble: boolean;
  animatein: string;
  animateout: string;
  fadein: boolean;
  fadeout: boolean;
  typewriter: boolean;
  smooth: boolean;
  css: string;
  label: string;
  ticker: boolean;
  queueonly: boolean;
  onlyquestions: boolean;
  reverse: boolean;
  striplinks: boolean;
  bureau: string;
  key: "" | "only" | "off";
  poll: "" | "only" | "off";
  darkmode: boolean;
  lightmode: boolean;
  theme: string;
  lang: "ko" | "en" | "";
  safe: number;
  motion: boolean;
  test: boolean;
}

export interface Row {
  name: string;
  value: string;
  what: string;
}

/** The manual: docs/reference/overlay.md is this table. */
export const TABLE: readonly Row[] = [
  { name: "test", value: "1", what: "shows a sample card and the state of the connection" },
  { name: "ticker", value: "1", what: "shows the chat ticker while the host has it on" },
  { name: "lang", value: "ko, en", what: "language of the fixed words" },
  { name: "scale", value: "0.25 – 4", what: "size of everything (1)" },
  { name: "safe", value: "0 – 20", what: "title-safe margin in per cent of the picture (5)" },
  { name: "alignbottom", value: "bare", what: "lower third at the bottom (this is the default)" },
  { name: "aligntop", value: "bare", what: "at the top instead" },
  { name: "alignright", value: "bare", what: "at the right edge" },
  { name: "compact", value: "bare", what: "smaller card, without the department line" },
  { name: "theme", value: "dark, light", what: "colours of the card (dark)" },
  { name: "darkmode", value: "bare", what: "the same as theme=dark" },
  { name: "lightmode", value: "bare", what: "the same as theme=light" },
  { name: "chroma", value: "hex without #", what: "a solid background for keying instead of transparency" },
  { name: "transparent", value: "bare", what: "the default; accepted so that known addresses keep working" },
  { name: "hidenames", value: "bare", what: "no pseudonyms" },
  { name: "notime", value: "bare", what: "no support figure" },
  { name: "label", value: "text", what: "words in front of the question (“Question”)" },
  { name: "trim", value: "characters", what: "cuts a longer text" },
  { name: "limit", value: "1 – 20", what: "messages in the ticker at once (4)" },
  { name: "showtime", value: "ms", what: "hides the card after this time (0: never)" },
  { name: "delaytime", value: "ms", what: "shows everything this much later (0); clearing is never delayed" },
  { name: "font", value: "name", what: "a font that is installed on the machine" },
  { name: "fontcolor", value: "hex without #", what: "colour of the text" },
  { name: "namecolor", value: "hex without #", what: "colour of names and departments" },
  { name: "strokewidth", value: "px", what: "outline of the text (0)" },
  { name: "strokecolor", value: "hex without #", what: "colour of the outline (000000)" },
  { name: "bubble", value: "bare", what: "round corners" },
  { name: "animatein", value: "rise, fade, slide, none", what: "how the card comes (rise)" },
  { name: "animateout", value: "fade, drop, none", what: "how it leaves (fade)" },
  { name: "fadein", value: "bare", what: "the same as animatein=fade" },
  { name: "fadeout", value: "bare", what: "the same as animateout=fade" },
  { name: "typewriter", value: "bare", what: "letters come one after another" },
  { name: "smooth", value: "bare", what: "slower, softer movement" },
  { name: "motion", value: "0", what: "no movement at all" },
  { name: "css", value: "styles", what: "your own styles; addresses and imports in them are taken out" },
  { name: "cssb64", value: "base64", what: "the same, encoded" },
  { name: "queueonly", value: "bare", what: "ticker only, no lower third and no poll" },
  { name: "onlyquestions", value: "bare", what: "lower third only, no ticker and no poll" },
  { name: "reverse", value: "bare", what: "newest message of the ticker on top" },
  { name: "striplinks", value: "bare", what: "takes web addresses out of the texts" },
  { name: "bureau", value: "id of a department", what: "only questions that are routed to it" },
  { name: "key", value: "1, 0", what: "1: nothing but the words of the issuer's key, while the host shows them; 0: never these" },
  { name: "poll", value: "1, 0", what: "1: nothing but the poll, while the host has it on the overlays; 0: never the poll" },
  { name: "viewonly", value: "bare", what: "accepted; an overlay can only ever watch" },
  { name: "pinnedonly", value: "bare", what: "accepted; only what the host takes on air is ever shown" },
  { name: "normalize", value: "bare", what: "accepted; the server has normalised every text already" },
  { name: "24hr", value: "bare", what: "accepted; no time of day is shown" },
];

const HEX = /^[0-9a-f]{3}(?:[0-9a-f]{3}(?:[0-9a-f]{2})?)?$/i;

export function parameters(query: URLSearchParams): Parameters {
  const on = (name: string): boolean => query.has(name) && !["0", "false", "no"].includes(query.get(name)!);
  const number = (name: string, otherwise: number, least: number, most: number): number => {
    const value = Number(query.get(name));
    return query.get(name) && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
  };
  const colour = (name: string): string => {
    const value = (query.get(name) ?? "").replace(/^#/, "");
    return HEX.test(value) ? `#${value}` : "";
  };
  const oneOf = (name: string, known: string[], otherwise: string): string => (known.includes(query.get(name) ?? "") ? query.get(name)! : otherwise);
  const only = (name: string): "" | "only" | "off" => (!query.has(name) ? "" : on(name) ? "only" : "off");
  const lang = query.get("lang");
  return {
    scale: number("scale", 1, 0.25, 4),
    limit: number("limit", 4, 1, 20),
    showtime: number("showtime", 0, 0, 3_600_000),
    delaytime: number("delaytime", 0, 0, 60_000),
    chroma: colour("chroma"),
    compact: on("compact"),
    alignbottom: on("alignbottom"),
    aligntop: on("aligntop"),
    alignright: on("alignright"),
    hidenames: on("hidenames"),
    notime: on("notime"),
    trim: number("trim", 0, 0, 1_000),
    font: (query.get("font") ?? "").replace(/[^\p{L}\p{N} _-]/gu, "").slice(0, 60),
    fontcolor: colour("fontcolor"),
    namecolor: colour("namecolor"),
    strokewidth: number("strokewidth", 0, 0, 20),
    strokecolor: colour("strokecolor") || "#000000",
    bubble: on("bubble"),
    animatein: on("fadein") ? "fade" : oneOf("animatein", ["rise", "fade", "slide", "none"], "rise"),
    animateout: on("fadeout") ? "fade" : oneOf("animateout", ["fade", "drop", "none"], "fade"),
    fadein: on("fadein"),
    fadeout: on("fadeout"),
    typewriter: on("typewriter"),
    smooth: on("smooth"),
    css: cleanCss(query.get("css") ?? fromBase64(query.get("cssb64") ?? "")),
    label: (query.get("label") ?? "").slice(0, 40),
    ticker: on("ticker"),
    queueonly: on("queueonly"),
    onlyquestions: on("onlyquestions"),
    reverse: on("reverse"),
    striplinks: on("striplinks"),
    bureau: (query.get("bureau") ?? "").slice(0, 40),
    key: only("key"),
    poll: only("poll"),
    darkmode: on("darkmode"),
    lightmode: on("lightmode"),
    theme: on("lightmode") ? "light" : oneOf("theme", ["dark", "light"], "dark"),
    lang: lang === "ko" || lang === "en" ? lang : "",
    safe: number("safe", 5, 0, 20),
    motion: !(query.has("motion") && !on("motion")),
    test: on("test"),
  };
}

/** A text as this overlay shows it. */
export function words(text: string | null | undefined, chosen: Parameters): string {
  const whole = chosen.striplinks ? (text ?? "").replace(/\s*(?:https?:\/\/|www\.)\S+/gi, "").trim() : (text ?? "");
  const letters = [...whole];
  return chosen.trim && letters.length > chosen.trim ? `${letters.slice(0, chosen.trim).join("")}…` : whole;
}

/** Styles of a producer, without anything that would ask another host. */
export function cleanCss(css: string): string {
  return css
    .slice(0, 20_000)
    .replace(/\\/g, "")
    .replace(/@import[^;]*;?/gi, "")
    .replace(/(?:url|image-set|image|src|cross-fade)\s*\([^)]*\)/gi, "none");
}

function fromBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  } catch {
    return "";
  }
}
