import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { clock, figure, language, named, pseudonym, t } from "../../i18n";
import type { HostMessage } from "../../protocol/types";
import { FateChip, Kept } from "../../ui/parts";
import { ask } from "./dialogs";
import { route } from "./keymap";
import { act, directorOf, filter, type Filter, frozenAt, heldCount, link, messages, search, selected, shown, supportOf } from "./state";

const FILTERS: Filter[] = ["all", "held", "asked", "supported", "removed"];
const ROWS = 150;

/** All messages, newest at the end. New ones never move what the host is looking at, nor the focus. */
export function Stream(): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const more = useSignal(0);
  const missed = useSignal(0);
  const lastSeen = useRef(0);
  const found = shown.value;
  const rows = found.slice(-(ROWS + more.value));
  const hidden = found.length - rows.length;
  const behind = frozenAt.value === null ? 0 : messages.value.filter((one) => one.id > frozenAt.value!).length;

  useLayoutEffect(() => {
    const box = list.current!;
    if (stuck.current && frozenAt.value === null) box.scrollTop = box.scrollHeight;
    else missed.value += found.filter((one) => one.id > lastSeen.current).length;
    lastSeen.current = Math.max(lastSeen.current, found.at(-1)?.id ?? 0);
  }, [found]);

  // What was chosen opens its buttons; it should not do so below the edge.
  useLayoutEffect(() => {
    if (selected.value !== null) list.current?.querySelector(`[data-id="${selected.value}"]`)?.scrollIntoView({ block: "nearest" });
  }, [selected.value]);

  return (
    <section class="column stream" aria-labelledby="stream">
      <div class="tools">
        <h2 id="stream">{t("host.stream")}</h2>
        <input
          id="search"
          class="field"
          type="search"
          value={search.value}
          placeholder={t("host.search_hint")}
          aria-label={t("host.search")}
          onInput={(event) => (search.value = event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && (event.currentTarget.blur(), event.stopPropagation())}
        />
        <div class="filters" role="group" aria-label={t("host.filter")}>
          {FILTERS.map((name) => (
            <button class="button small" key={name} type="button" aria-pressed={filter.value === name} onClick={() => (filter.value = name)}>
              {t(`host.${name}`)}
              {name === "held" && heldCount.value > 0 && <span class="count">{figure(heldCount.value)}</span>}
            </button>
          ))}
        </div>
      </div>
      {frozenAt.value !== null && (
        <div class="bar" role="status">
          {t("host.paused_list", { count: behind })}
          <button class="button small" type="button" onClick={() => (frozenAt.value = null)}>
            {t("host.resume_list")}
          </button>
        </div>
      )}
      <div
        ref={list}
        class="list"
        tabIndex={0}
        aria-label={t("host.stream")}
        onScroll={(event) => {
          const box = event.currentTarget;
          stuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
          if (stuck.current) missed.value = 0;
        }}
      >
        {hidden > 0 && (
          <button class="button small older" type="button" onClick={() => (more.value += ROWS)}>
            {t("host.older", { count: Math.min(hidden, ROWS) })}
          </button>
        )}
        {!rows.length && <p class="empty soft">{t("host.nothing")}</p>}
        {rows.map((one) => (
          <Kept key={one.id} item={one} also={`${selected.value === one.id}${language.value}${one.fate ? supportOf(one) : ""}`} draw={(item) => <Row one={item} />} />
        ))}
      </div>
      {missed.value > 0 && frozenAt.value === null && (
        <button
          class="button primary new"
          type="button"
          onClick={() => {
            stuck.current = true;
            missed.value = 0;
            list.current!.scrollTop = list.current!.scrollHeight;
          }}
        >
          {t("host.new", { count: missed.value })}
        </button>
      )}
    </section>
  );
}

function Row({ one }: { one: HostMessage }): JSX.Element {
  const on = selected.value === one.id;
  const support = one.fate ? supportOf(one) : 0;
  return (
    <article class={`item ${one.state} ${on ? "selected" : ""}`} data-id={one.id} aria-current={on ? "true" : undefined} onClick={() => (selected.value = one.id)}>
      <p class="head">
        <span class="voice" title={t("host.voice", { tag: one.tag.slice(0, 5) })}>
          {one.tag.slice(0, 4)}
        </span>
        <bdi class="name">{pseudonym(one.who)}</bdi>
        {one.state === "held" && <span class="chip held">{t(`host.held_because.${one.held ?? "review"}`)}</span>}
        {one.state === "removed" && <span class="chip removed">{t(`common.removal.${one.removed ?? "other"}`)}</span>}
        {one.fate && one.state === "visible" && <FateChip fate={one.fate} />}
        {support > 0 && <span class="chip figure">▲ {figure(support)}</span>}
        <span class="grow" />
        <span class="soft small figure">
          {one.id} · {clock(one.at)}
        </span>
      </p>
      <p class="text">
        <bdi>{one.text ?? "—"}</bdi>
      </p>
      {(one.findings?.length ?? 0) > 0 && <p class="small warn-text">{t("host.findings", { what: [...new Set(one.findings!.map((found) => t(`host.finding.${found.kind}`)))].join(", ") })}</p>}
      {one.director && <p class="small soft">{t("host.routed", { name: named(directorOf(one.director)) })}</p>}
      {on && <RowActions one={one} />}
    </article>
  );
}

function RowActions({ one }: { one: HostMessage }): JSX.Element {
  const button = (label: string, key: string, run: () => void, kind = ""): JSX.Element => (
    <button class={`button small ${kind}`} type="button" aria-keyshortcuts={key} onClick={run}>
      {t(`host.${label}`)} {key && <kbd>{key}</kbd>}
    </button>
  );
  const id = one.id;
  const open = !one.fate || one.fate.state === "asked";
  return (
    <div class="row-actions">
      {one.state === "held" && button("publish", "A", () => void act("message:publish", { message: id }), "primary")}
      {one.state !== "removed" && open && button("pick", "S", () => void act("question:pick", { message: id }))}
      {one.state === "visible" &&
        open &&
        (one.suggested ?? []).map((director, place) => (
          <button key={director} class="button small suggested" type="button" aria-keyshortcuts={String(place + 1)} onClick={() => route(place + 1)}>
            <kbd>{place + 1}</kbd> {named(directorOf(director))}
          </button>
        ))}
      {one.state === "visible" && button("route", "L", () => ask("route", id))}
      {one.state === "visible" && open && button("merge", "M", () => ask("merge", id))}
      {one.state === "visible" && one.fate?.state === "merged" && button("split", "", () => void act("question:split", { message: id }))}
      {one.state === "visible" && one.fate?.state === "asked" && button("decline", "", () => ask("decline", id))}
      {one.state === "visible" && one.fate && button("write", "W", () => ask("write", id))}
      {one.state === "visible" && button("hold", "H", () => void act("message:hold", { message: id }))}
      {one.state !== "removed" && button("remove", "R", () => ask("remove", id), "bad")}
      {one.state === "removed" && one.text !== null && button("restore", "", () => void act("message:restore", { message: id }))}
      {one.state === "removed" && one.text !== null && button("erase", "", () => ask("erase", id), "bad")}
      {button("mute", "U", () => ask("mute", id))}
      {link.state.value !== "live" && <span class="soft small">{t("common.reconnecting")}</span>}
    </div>
  );
}
