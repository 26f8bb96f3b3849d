/** Texts from the one catalogue of each language; only the sections and the language that a page needs are loaded. */
import { signal } from "@preact/signals";

export type Language = "ko" | "en";
export const LANGUAGES: readonly Language[] = ["ko", "en"];
interface Texts {
  [key: string]: string | string[] | Texts;
}

const files = import.meta.glob<Texts>("../../../protocol/catalogue/*/*.json", { import: "default" });
const loaded: Record<string, Texts> = {};
let wanted: string[] = [];

export const language = signal<Language>("ko");
const KEY = "townhall.language";

function first(): Language {
  const asked = new URLSearchParams(location.search).get("lang");
  for (const found of [asked, remembered(), ...navigator.languages]) {
    if (found?.startsWith("ko")) return "ko";
    if (found?.startsWith("en")) return "en";
  }
  return "ko";
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

async function load(lang: Language): Promise<void> {
  await Promise.all(wanted.map((section) => fetchSection(lang, section)));
}

async function fetchSection(lang: Language, section: string): Promise<void> {
  loaded[`${lang}.${section}`] ??= await files[`../../../protocol/catalogue/${lang}/${section}.json`]!();
}

/** Load `sections` in the reader's language. Call it once, before drawing. */
export async function speak(...sections: string[]): Promise<void> {
  wanted = ["common", ...sections];
  await change(first(), false);
}

/** Switch to another language, and remember it. */
export async function change(lang: Language, remember = true): Promise<void> {
  await load(lang);
  document.documentElement.lang = lang;
  language.value = lang;
  if (!remember) return;
  try {
    localStorage.setItem(KEY, lang);
  } catch {
    // Private windows may forbid it; the choice then holds for this page.
  }
}

/** Load a section in every language, for what stands in all of them at once. */
export async function speakAll(section: string): Promise<void> {
  await Promise.all(LANGUAGES.map((lang) => fetchSection(lang, section)));
}

function find(path: string, lang = language.value): unknown {
  const [section, ...rest] = path.split(".");
  let found: unknown = loaded[`${lang}.${section}`];
  for (const part of rest) found = (found as Texts | undefined)?.[part];
  return found;
}

/** The text `section.key`, its {placeholders} filled. An unknown key shows itself, so that it is seen and mended. */
export function t(path: string, params: Record<string, string | number> = {}): string {
  const text = find(path);
  if (typeof text !== "string") return path;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ""));
}

/** `푸른 고래 27`. */
export function pseudonym(who: readonly unknown[]): string {
  const [adjective, animal, number] = who as [number, number, number];
  return `${pair([adjective, animal])} ${number}`;
}

/** `푸른 고래`: places in the lists of words as words. */
export function pair([adjective, animal]: readonly [number, number], lang = language.value): string {
  const adjectives = find("pseudonym.adjectives", lang) as string[] | undefined;
  const animals = find("pseudonym.animals", lang) as string[] | undefined;
  return `${adjectives?.[adjective] ?? "?"} ${animals?.[animal] ?? "?"}`;
}

export interface Named {
  name?: string;
  name_en?: string;
  title?: string;
  title_en?: string;
  ko?: string;
  en?: string | undefined;
}

/** A department or a director's name in the reader's language. */
export function named(who: Named | undefined | null): string {
  if (!who) return "";
  if (who.ko !== undefined) return language.value === "en" && who.en && who.en !== "-" ? who.en : who.ko;
  return language.value === "en" && who.name_en ? who.name_en : (who.name ?? "");
}

/** A director with title: `한도윤 기획조정실장`. */
export function titled(who: Named | undefined | null): string {
  if (!who) return "";
  const title = language.value === "en" ? who.title_en || who.title : who.title;
  return language.value === "en" ? [named(who), title].filter(Boolean).join(", ") : [named(who), title].filter(Boolean).join(" ");
}

/** The department's name, unless the title of its director says it already (`자치안전행정국` in `서지안 자치안전행정국장`). */
export function beside(department: Named | undefined | null, director: Named | undefined | null): string {
  const name = named(department);
  return name && titled(director).includes(name) ? "" : name;
}

/** Hours and minutes of unix seconds. */
export function clock(at: number): string {
  return new Intl.DateTimeFormat(language.value, { hour: "2-digit", minute: "2-digit", hour12: false }).format(at * 1000);
}

/** `2:05`, `1:02:05`: seconds as a running time. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A calendar date (`2026-12-08`) as people write it. */
export function day(date: string): string {
  const [y, m, d] = date.split("-").map(Number) as [number, number, number];
  return new Intl.DateTimeFormat(language.value, { month: "long", day: "numeric", weekday: "short" }).format(new Date(y, m - 1, d));
}

/** A figure with its thousands. */
export function figure(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}
