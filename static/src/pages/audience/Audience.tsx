import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Announcer } from "../../a11y/announcer";
import { figure, pseudonym, t, titled } from "../../i18n";
import { ConnectionBar, Icon, Menu, Preferences, Toasts } from "../../ui/parts";
import { Chat } from "./Chat";
import { Composer } from "./Composer";
import { comeInAnew, standing } from "./enter";
import { EntryBar, KeepButton } from "./EntryBar";
import { Keep, keeping } from "./Keep";
import { OnAir } from "./OnAir";
import { Poll, PollSaid } from "./Poll";
import { Questions } from "./Questions";
import { follow } from "./participation";
import { hall, heard, link, onAir, outbox, questions } from "./state";
import { Video } from "./Video";
import { card, followPolls } from "./votes";

const spoken = { chat: (_: string): void => undefined };
const announcer = new Announcer(
  (words) => spoken.chat(words),
  (count) => t("audience.digest", { count }),
);

export function Audience(): JSX.Element {
  const tab = useSignal<"chat" | "questions">("chat");
  const said = useSignal("");
  const air = useSignal("");
  const announce = useSignal(true);

  useEffect(() => {
    follow();
    followPolls();
    spoken.chat = (words) => (said.value = words);
    heard.news = (news, whole) => {
      if (whole || tab.peek() !== "chat") return;
      for (const message of news) {
        if (!message.fate || message.fate.state === "asked") announcer.add(`${pseudonym(message.who)}: ${message.text ?? ""}`);
      }
    };
  }, []);
  useEffect(() => {
    if (link.state.value === "ended" && link.ended.value === t("refusal.not_admitted")) comeInAnew();
  }, [link.state.value]);

  const now = onAir.value;
  useEffect(() => {
    const director = hall.value?.directors?.find((one) => one.id === now?.message.fate?.director);
    air.value = now ? t("audience.air_says", { text: now.message.text ?? "", director: titled(director) || t("audience.unrouted") }) : "";
  }, [now?.message.id, now?.message.fate?.director]);

  const setup = hall.value;
  useEffect(() => {
    document.title = setup?.title ?? t("common.title");
  }, [setup?.title]);
  const counts = link.gauges.value.counts;
  const removed = Object.entries(counts.removed ?? {});

  return (
    <div class={`audience ${setup?.video ? "with-video" : ""} ${card.value ? "polling" : ""}`}>
      <a class="skip" href="#composer">
        {t("audience.skip")}
      </a>
      <header>
        <h1>{setup?.title ?? t("common.title")}</h1>
        <span class="soft small figure viewers" title={t("audience.viewers", { count: figure(link.gauges.value.viewers) })}>
          <Icon name="people" /> <span class="hidden">{t("audience.viewers", { count: "" })}</span>
          {figure(link.gauges.value.viewers)}
        </span>
        <Menu label={t("audience.settings")}>
          <Preferences>
            <label class="row">
              <input
                type="checkbox"
                checked={announce.value}
                onChange={(event) => {
                  announce.value = event.currentTarget.checked;
                  announcer.paused = !announce.value;
                }}
              />
              {t("audience.announce")}
            </label>
            {["holding", "returned", "arrived", "in"].includes(standing.value) && <KeepButton />}
          </Preferences>
        </Menu>
      </header>
      <ConnectionBar link={link} />
      <section class="stage" aria-label={t("audience.stage")}>
        {setup?.video && <Video video={setup.video} />}
        {now && <OnAir />}
        <details class="counts">
          <summary>
            {t("audience.counts", {
              received: figure(counts.received ?? 0),
              visible: figure(counts.visible ?? 0),
              held: figure(counts.held ?? 0),
              removed: figure(removed.reduce((sum, [, count]) => sum + count, 0)),
            })}
          </summary>
          <p>
            {removed.map(([reason, count]) => t("audience.removed_by", { reason: t(`common.removal.${reason}`), count })).join(" · ") || t("common.none")}
          </p>
        </details>
      </section>
      <main>
        <Poll />
        <div class="tabs" role="tablist" aria-label={setup?.title ?? ""}>
          {(["chat", "questions"] as const).map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={tab.value === name}
              aria-controls={`panel-${name}`}
              tabIndex={tab.value === name ? 0 : -1}
              onClick={() => (tab.value = name)}
              onKeyDown={(event) => {
                if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
                tab.value = name === "chat" ? "questions" : "chat";
                document.getElementById(`tab-${tab.value}`)?.focus();
              }}
            >
              {name === "chat" ? t("audience.chat") : t("audience.questions_count", { count: figure(questions.value.length) })}
            </button>
          ))}
        </div>
        <div class="panel" id="panel-chat" role="tabpanel" aria-labelledby="tab-chat" hidden={tab.value !== "chat"}>
          <Chat shown={tab.value === "chat"} />
        </div>
        <div class="panel" id="panel-questions" role="tabpanel" aria-labelledby="tab-questions" hidden={tab.value !== "questions"}>
          {tab.value === "questions" && <Questions />}
        </div>
        <EntryBar />
        <Composer outbox={outbox} />
      </main>
      <div class="hidden" aria-live="polite" aria-atomic="true">
        {said.value}
      </div>
      <PollSaid />
      <div class="hidden" role="status" aria-live="assertive" aria-atomic="true">
        {air.value}
      </div>
      {keeping.value && <Keep />}
      <Toasts />
    </div>
  );
}
