import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { clock, language, pseudonym, t } from "../../i18n";
import { clientId } from "../../link/link";
import type { Own } from "../../link/outbox";
import type { AudienceMessage } from "../../protocol/types";
import { FateChip, Kept, toast } from "../../ui/parts";
import { chat, hall, link, outbox } from "./state";
import { Support } from "./Support";

const NEAR_END_PX = 60;

/** The stream: stays at its end unless the reader has scrolled up, and then counts what is new. */
export function Chat({ shown }: { shown: boolean }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const newCount = useSignal(0);
  const newest = useRef(0);
  const items = chat.value;
  const own = outbox.items.value;
  const mine = outbox.mine.value;
  const last = items.at(-1);

  useLayoutEffect(() => {
    const box = list.current;
    if (!box || !shown) return;
    if (stuck.current) box.scrollTop = box.scrollHeight;
    else newCount.value += items.filter((item) => (item.shown ?? item.id) > newest.current).length;
    newest.current = Math.max(newest.current, last ? (last.shown ?? last.id) : 0);
  }, [items, own, shown]);

  // A picture, a keyboard or a turned phone changes the height without news.
  useEffect(() => {
    const box = list.current!;
    const watch = new ResizeObserver(() => {
      if (stuck.current) box.scrollTop = box.scrollHeight;
    });
    watch.observe(box);
    return () => watch.disconnect();
  }, []);

  function toEnd(): void {
    stuck.current = true;
    newCount.value = 0;
    list.current?.scrollTo({ top: list.current.scrollHeight, behavior: "smooth" });
  }

  return (
    <>
      <div
        ref={list}
        class="chat"
        role="log"
        aria-live="off"
        aria-label={t("audience.log")}
        tabIndex={0}
        onScroll={(event) => {
          const box = event.currentTarget;
          stuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
          if (stuck.current) newCount.value = 0;
        }}
      >
        {!items.length && !own.length && <p class="empty soft">{t(hall.value?.phase === "draft" ? "audience.empty_draft" : "audience.empty")}</p>}
        {items.map((item) => (
          <Kept key={item.id} item={item} also={`${language.value}${mine.has(item.id)}`} draw={(one) => <Row message={one} mine={mine.has(one.id)} />} />
        ))}
        {own.map((item) => (
          <OwnRow key={item.clientId} own={item} />
        ))}
      </div>
      {newCount.value > 0 && (
        <button class="button primary new" type="button" onClick={toEnd}>
          {t("audience.new", { count: newCount.value })} ↓
        </button>
      )}
    </>
  );
}

function Row({ message, mine }: { message: AudienceMessage; mine: boolean }): JSX.Element {
  const withdrawable = mine && hall.peek()?.phase === "open" && (!message.fate || message.fate.state === "asked");
  return (
    <article class={`message ${mine ? "mine" : ""} ${message.fate ? "question" : ""}`}>
      <p class="head">
        <bdi class="who">{pseudonym(message.who)}</bdi>
        {mine && <span class="chip primary">{t("audience.mine")}</span>}
        {message.fate && <FateChip fate={message.fate} />}
        <time class="figure" dateTime={new Date(message.at * 1000).toISOString()}>
          {clock(message.at)}
        </time>
      </p>
      <p class="text">
        <bdi>{message.text}</bdi>
      </p>
      {(message.fate || withdrawable) && (
        <p class="foot">
          {message.fate && <Support message={message} />}
          {withdrawable && (
            <button class="button quiet small" type="button" onClick={() => void withdraw(message.id)}>
              {t("audience.withdraw")}
            </button>
          )}
        </p>
      )}
    </article>
  );
}

async function withdraw(message: number): Promise<void> {
  if (!confirm(t("audience.withdraw_sure"))) return;
  const ack = await link.send("message:withdraw", { client_id: clientId(), message }).catch(() => null);
  if (!ack?.ok) toast(ack?.error?.message ?? t("refusal.not_saved"), true);
}

function OwnRow({ own }: { own: Own }): JSX.Element {
  return (
    <article class={`message mine own ${own.state}`} data-state={own.state}>
      <p class="head">
        <span class="chip primary">{t("audience.mine")}</span>
        {own.state === "sending" && <span class="chip">{t("audience.sending")}…</span>}
        {own.state === "held" && <span class="chip held">{t("common.state.held")}</span>}
        {own.state === "failed" && <span class="chip bad">{t("audience.failed")}</span>}
        {own.state === "removed" && <span class="chip bad">{t("common.state.removed")}</span>}
      </p>
      <p class="text">{own.text}</p>
      <p class="foot soft small">
        {own.state === "held" && t("audience.held")}
        {own.state === "failed" && own.why}
        {own.state === "removed" && t("audience.removed", { reason: own.why ?? "" })}
        {own.state === "failed" && (
          <button class="button small" type="button" onClick={() => outbox.retry(own.clientId)}>
            {t("common.retry")}
          </button>
        )}
        {(own.state === "failed" || own.state === "removed") && (
          <button class="button quiet small" type="button" onClick={() => outbox.discard(own.clientId)}>
            {t("audience.discard")}
          </button>
        )}
      </p>
    </article>
  );
}
