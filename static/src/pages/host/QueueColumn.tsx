import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { beside, figure, named, pseudonym, t, titled } from "../../i18n";
import type { HostMessage } from "../../protocol/types";
import { ask } from "./dialogs";
import { act, departmentOf, directorOf, preview, queue, selected, supportOf } from "./state";

/** What was picked, in the order in which it will be asked: dragged, or moved with Alt and the arrow keys. */
export function QueueColumn(): JSX.Element {
  const dragged = useSignal<number | null>(null);
  const over = useSignal<number | null>(null);
  const list = queue.value;
  return (
    <section class="column queue" aria-labelledby="queue">
      <div class="tools">
        <h2 id="queue">
          {t("host.queue")} <span class="soft figure">{figure(list.length)}</span>
        </h2>
      </div>
      <ol class="list" tabIndex={0} aria-label={t("host.queue")}>
        {!list.length && <li class="empty soft">{t("host.empty_queue")}</li>}
        {list.map((one, place) => (
          <li
            key={one.id}
            class={`item ${selected.value === one.id ? "selected" : ""} ${over.value === place ? "over" : ""}`}
            data-id={one.id}
            tabIndex={0}
            draggable
            aria-current={selected.value === one.id ? "true" : undefined}
            onFocus={() => (selected.value = one.id)}
            onClick={() => (selected.value = one.id)}
            onDragStart={(event) => {
              dragged.value = one.id;
              event.dataTransfer?.setData("text/plain", String(one.id));
            }}
            onDragOver={(event) => {
              event.preventDefault();
              over.value = place;
            }}
            onDragEnd={() => (dragged.value = over.value = null)}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged.value !== null && dragged.value !== one.id) void act("question:move", { message: dragged.value, position: place });
              dragged.value = over.value = null;
            }}
            onKeyDown={(event) => {
              if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
              event.preventDefault();
              void act("question:move", { message: one.id, position: Math.max(0, place + (event.key === "ArrowUp" ? -1 : 1)) });
            }}
          >
            <Queued one={one} place={place} last={place === list.length - 1} />
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Routing({ one }: { one: HostMessage }): JSX.Element {
  const director = directorOf(one.director);
  const returned = one.returned?.at(-1);
  return (
    <p class="small routing">
      {director ? (
        <>
          <span class="soft">{beside(departmentOf(director), director)}</span> <strong>{titled(director)}</strong> <span class={`chip ${one.accepted ? "good" : "warn"}`}>{t(one.accepted ? "host.accepted" : "host.waiting")}</span>
        </>
      ) : (
        <span class="chip bad">{t("host.unrouted")}</span>
      )}
      {returned && !director && <span class="returned">{t("host.returned_by", { name: named(directorOf(returned.director)), reason: returned.reason })}</span>}
    </p>
  );
}

function Queued({ one, place, last }: { one: HostMessage; place: number; last: boolean }): JSX.Element {
  const on = selected.value === one.id;
  const move = (position: number): void => void act("question:move", { message: one.id, position });
  const merged = one.fate?.merged?.length ?? 0;
  return (
    <>
      <p class="head">
        {place === 0 ? <span class="chip primary">{t("host.next_up")}</span> : <span class="chip figure">{place + 1}</span>}
        {preview.value?.id === one.id && <span class="chip warn">{t("host.in_preview")}</span>}
        <bdi class="name small">{pseudonym(one.who)}</bdi>
        {merged > 0 && <span class="chip">{t("host.merged_count", { count: merged })}</span>}
        <span class="grow" />
        <span class="figure small soft">▲ {figure(supportOf(one))}</span>
      </p>
      <p class="text">
        <bdi>{one.text}</bdi>
      </p>
      <Routing one={one} />
      {on && (
        <div class="row-actions">
          <button class="button small" type="button" aria-keyshortcuts="Enter" onClick={() => void act("question:preview", { message: preview.value?.id === one.id ? null : one.id })}>
            {t("host.preview")} <kbd>Enter</kbd>
          </button>
          <button class="button small air" type="button" aria-keyshortcuts="Shift+Enter" onClick={() => void act("question:air", { message: one.id })}>
            {t("host.take")}
          </button>
          <button class="button small" type="button" aria-keyshortcuts="L" onClick={() => ask("route", one.id)}>
            {t("host.route")} <kbd>L</kbd>
          </button>
          <button class="button small" type="button" disabled={place === 0} onClick={() => move(place - 1)}>
            ↑<span class="hidden">{t("host.up")}</span>
          </button>
          <button class="button small" type="button" disabled={last} onClick={() => move(place + 1)}>
            ↓<span class="hidden">{t("host.down")}</span>
          </button>
          <button class="button small" type="button" aria-keyshortcuts="M" onClick={() => ask("merge", one.id)}>
            {t("host.merge")} <kbd>M</kbd>
          </button>
          <button class="button small" type="button" aria-keyshortcuts="D" onClick={() => ask("defer", one.id)}>
            {t("host.defer")} <kbd>D</kbd>
          </button>
          <button class="button small" type="button" onClick={() => ask("decline", one.id)}>
            {t("host.decline")}
          </button>
          <button class="button small" type="button" onClick={() => void act("question:unpick", { message: one.id })}>
            {t("host.unpick")}
          </button>
        </div>
      )}
    </>
  );
}
