import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { figure, t } from "../../i18n";
import { Menu, Preferences, Toasts } from "../../ui/parts";
import { HallPage } from "./HallPage";
import { SetupForm } from "./SetupForm";
import { chosen, halls, problem, refresh } from "./state";

export function Organiser(): JSX.Element {
  useEffect(() => {
    document.title = t("organiser.title");
    void refresh();
    const timer = setInterval(() => void refresh(), 4_000);
    return () => clearInterval(timer);
  }, []);
  const hall = halls.value?.find((one) => one.code === chosen.value);
  return (
    <div class="organiser">
      <header>
        <h1 class="grow">{t("organiser.title")}</h1>
        <Menu label={t("common.theme")}>
          <Preferences />
        </Menu>
      </header>
      {problem.value && (
        <div class="bar ended" role="alert">
          {problem.value}
        </div>
      )}
      <main>
        {chosen.value === null ? (
          <List />
        ) : (
          <>
            <button class="button quiet back" type="button" onClick={() => (chosen.value = null)}>
              ← {t("organiser.back")}
            </button>
            {hall ? <HallPage hall={hall} /> : <SetupForm />}
          </>
        )}
      </main>
      <Toasts />
    </div>
  );
}

function List(): JSX.Element {
  const list = halls.value ?? [];
  return (
    <section aria-labelledby="halls">
      <div class="row">
        <h2 id="halls" class="grow">
          {t("organiser.halls")}
        </h2>
        <button class="button primary" type="button" disabled={halls.value === null} onClick={() => (chosen.value = "")}>
          {t("organiser.new")}
        </button>
      </div>
      {halls.value !== null && !list.length && <p class="empty soft">{t("organiser.none")}</p>}
      <ul class="halls">
        {list.map((hall) => (
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
        ))}
      </ul>
    </section>
  );
}
