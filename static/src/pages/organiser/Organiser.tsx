import type { JSX } from "preact";
import { figure, t } from "../../i18n";
import { Office, OfficeList } from "../../ui/Office";
import { HallPage } from "./HallPage";
import { SetupForm } from "./SetupForm";
import { chosen, halls, problem, refresh } from "./state";

export function Organiser(): JSX.Element {
  const hall = halls.value?.find((one) => one.code === chosen.value);
  const back = chosen.value === null ? null : () => (chosen.value = null);
  return (
    <Office section="organiser" refresh={refresh} problem={problem.value} back={back}>
      {chosen.value === null ? <List /> : hall ? <HallPage hall={hall} /> : <SetupForm />}
    </Office>
  );
}

function List(): JSX.Element {
  return (
    <OfficeList section="organiser" name="halls" add={halls.value && (() => (chosen.value = ""))} items={halls.value}>
      {(hall) => (
        <li key={hall.code}>
          <button class="card" type="button" onClick={() => (chosen.value = hall.code)}>
            <span class={`chip ${hall.phase === "open" ? "good" : hall.phase === "draft" ? "warn" : ""}`}>{t(`organiser.${hall.phase}`)}</span>
            <strong class="grow">{hall.setup.title}</strong>
            <span class="code">{hall.code}</span>
            <span class="soft small figure">
              {t("organiser.received")} {figure(hall.counts?.received ?? 0)} · {t("organiser.viewers")} {figure(hall.viewers ?? 0)}
            </span>
          </button>
        </li>
      )}
    </OfficeList>
  );
}
