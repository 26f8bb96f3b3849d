import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { figure, language, t } from "../../i18n";
import type { OrganiserHall } from "../../protocol/types";
import { Links } from "./Links";
import { SetupForm } from "./SetupForm";
import { act, download } from "./state";

const FILES = [
  ["report.html", "report"],
  ["questions.csv", "csv_file"],
  ["polls.csv", "polls_file"],
  ["record.jsonl", "jsonl"],
] as const;

/** Why this group is too small to hide in; "": it is not, or nothing can be said yet. */
function small(hall: OrganiserHall): string {
  const minimum = hall.admission?.minimum_participants ?? 30;
  const count = hall.participants ?? 0;
  if (hall.admission && hall.phase === "open" && count < minimum) return t("organiser.too_few", { count: figure(count), minimum: figure(minimum) });
  if (hall.admission && hall.phase !== "closed" && minimum < 30) return t("organiser.few_anyway", { minimum: figure(minimum) });
  if (!hall.admission && hall.phase === "open" && (hall.viewers ?? 0) < 30) return t("organiser.small");
  return "";
}

export function HallPage({ hall }: { hall: OrganiserHall }): JSX.Element {
  const counts = hall.counts ?? {};
  const removed = Object.values(counts.removed ?? {}).reduce((sum, count) => sum + count, 0);
  const questions = Object.values(counts.questions ?? {}).reduce((sum, count) => sum + count, 0);
  const left = ["asked", "queued", "on_air"].reduce((sum, fate) => sum + (counts.questions?.[fate] ?? 0), 0);
  const editing = useSignal(hall.phase === "draft");
  return (
    <>
      <section class="card" aria-labelledby="state">
        <div class="row">
          <h2 id="state" class="grow">
            {hall.setup.title} <span class="code">{hall.code}</span>
          </h2>
          <span class={`chip ${hall.phase === "open" ? "good" : hall.phase === "draft" ? "warn" : ""}`}>{t(`organiser.${hall.phase}`)}</span>
          {hall.phase === "draft" && (
            <button class="button primary" type="button" onClick={() => void act(hall.code, "hall:open", {})}>
              {t("organiser.open_hall")}
            </button>
          )}
          {hall.phase === "open" && (
            <button class="button bad" type="button" onClick={() => confirm(t("organiser.close_sure", { open: left })) && void act(hall.code, "hall:close", {})}>
              {t("organiser.close_hall")}
            </button>
          )}
        </div>
        <dl class="figures">
          {(
            [
              ["viewers", hall.viewers ?? 0],
              ...(hall.admission ? [["participants", hall.participants ?? 0] as const] : []),
              ["received", counts.received ?? 0],
              ["visible", counts.visible ?? 0],
              ["held", counts.held ?? 0],
              ["removed", removed],
              ["questions", questions],
            ] as const
          ).map(([name, value]) => (
            <div key={name}>
              <dt>{t(`organiser.${name}`)}</dt>
              <dd class="figure">{figure(value)}</dd>
            </div>
          ))}
        </dl>
        {small(hall) && <p class="small soft">{small(hall)}</p>}
        {hall.phase !== "closed" && hall.admission?.issuer.kinds?.includes("open") && <p class="small soft">{t("organiser.card_open")}</p>}
        {hall.ends_at && <p class="small soft">{t("organiser.ends_at", { time: new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }).format(hall.ends_at * 1000) })}</p>}
        {hall.ended_itself && <p class="small">{t("organiser.ended_itself")}</p>}
      </section>
      <Links hall={hall} />
      <section class="card" aria-labelledby="record">
        <h2 id="record">{t("organiser.record")}</h2>
        <p class="small soft">{t("organiser.record_hint")}</p>
        {hall.phase !== "closed" && <p class="small">{t("organiser.interim")}</p>}
        {hall.phase === "closed" && hall.audit && (
          <p class="small">
            {t("organiser.audit")} <code class="url">{hall.audit}</code>
          </p>
        )}
        <div class="row">
          {FILES.map(([file, label]) => (
            <button key={file} class="button" type="button" onClick={() => void download(hall.code, file)}>
              ↓ {t(`organiser.${label}`)}
            </button>
          ))}
        </div>
      </section>
      {hall.phase !== "closed" && (
        <details class="card setup" open={editing.value}>
          <summary>{t("organiser.settings")}</summary>
          <SetupForm hall={hall} />
        </details>
      )}
    </>
  );
}
