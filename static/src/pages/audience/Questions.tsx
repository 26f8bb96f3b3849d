import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { clock, day, duration, figure, pseudonym, t, titled } from "../../i18n";
import type { AudienceMessage } from "../../protocol/types";
import { FateChip } from "../../ui/parts";
import { ClosedPolls } from "./Poll";
import { hall, outbox, questions, supportOf } from "./state";
import { Support } from "./Support";

/** Everybody's questions and what became of them. */
export function Questions(): JSX.Element {
  const order = useSignal<"newest" | "most">("newest");
  const onlyMine = useSignal(false);
  const mine = outbox.mine.value;
  const shown = questions.value.filter((question) => !onlyMine.value || mine.has(question.id));
  if (order.value === "most") shown.sort((a, b) => supportOf(b) - supportOf(a) || b.id - a.id);
  else shown.sort((a, b) => b.id - a.id);
  return (
    <div class="questions">
      <ClosedPolls />
      <div class="row tools">
        <div class="segments" role="group" aria-label={t("audience.sort")}>
          {(["newest", "most"] as const).map((name) => (
            <button key={name} type="button" aria-pressed={order.value === name} onClick={() => (order.value = name)}>
              {t(`audience.${name}`)}
            </button>
          ))}
        </div>
        <button class="button small" type="button" aria-pressed={onlyMine.value} onClick={() => (onlyMine.value = !onlyMine.value)}>
          {t("audience.only_mine")}
        </button>
      </div>
      {!shown.length && <p class="empty soft">{t("audience.empty_questions")}</p>}
      <ol>
        {shown.map((question) => (
          <li key={question.id}>
            <Question question={question} mine={mine.has(question.id)} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Question({ question, mine }: { question: AudienceMessage; mine: boolean }): JSX.Element {
  const fate = question.fate!;
  const director = hall.value?.directors?.find((one) => one.id === (fate.answer?.director ?? fate.director));
  const answer = fate.answer;
  return (
    <article class={`question-card ${mine ? "mine" : ""}`}>
      <p class="head">
        <FateChip fate={fate} />
        {mine && <span class="chip primary">{t("audience.mine")}</span>}
        <span class="soft small figure">
          {t("audience.number", { id: question.id })} · {pseudonym(question.who)} · {clock(question.at)}
        </span>
      </p>
      <p class="text">
        <bdi>{question.text}</bdi>
      </p>
      {director && <p class="director small">{titled(director)}</p>}
      {fate.state === "merged" && <p class="small soft">{t("audience.into", { id: fate.into ?? 0 })}</p>}
      {(fate.merged?.length ?? 0) > 0 && <p class="small soft">{t("audience.together", { count: figure(fate.merged!.length + 1) })}</p>}
      {fate.due && <p class="small">{t("audience.due", { due: day(fate.due) })}</p>}
      {fate.reason && <p class="small">{t(`common.decline.${fate.reason}`)}</p>}
      {fate.note && <p class="small soft">{fate.note}</p>}
      {answer && (answer.offset_s ?? null) !== null && <p class="small soft">{t("audience.answered_at", { time: duration(answer.offset_s!) })}</p>}
      {answer?.how === "written" && (
        <div class="written">
          <p class="label small">{t("audience.written")}</p>
          <p class="text">{answer.text}</p>
        </div>
      )}
      {fate.state !== "merged" && (
        <p class="foot">
          <Support message={question} />
        </p>
      )}
    </article>
  );
}
