import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { figure, t } from "../../i18n";
import { Menu, Preferences, Toasts } from "../../ui/parts";
import { IssuanceView } from "./IssuanceView";
import { NewIssuance } from "./NewIssuance";
import { choose, chosen, issuances, offered, problem, refresh } from "./state";

export function IssuerPage(): JSX.Element {
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), 4_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    document.title = t("issuer.title");
  });
  const issuance = issuances.value?.find((one) => one.code === chosen.value);
  return (
    <div class="organiser issuer">
      <header>
        <h1 class="grow">{t("issuer.title")}</h1>
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
            <button class="button quiet back" type="button" onClick={() => choose(null)}>
              ← {t("issuer.back")}
            </button>
            {issuance ? <IssuanceView key={issuance.code} issuance={issuance} /> : chosen.value === "" && offered.value && <NewIssuance offered={offered.value} />}
          </>
        )}
      </main>
      <Toasts />
    </div>
  );
}

function List(): JSX.Element {
  const list = issuances.value ?? [];
  return (
    <section aria-labelledby="issuances">
      <div class="row">
        <h2 id="issuances" class="grow">
          {t("issuer.issuances")}
        </h2>
        <button class="button primary" type="button" disabled={offered.value === null} onClick={() => choose("")}>
          {t("issuer.new")}
        </button>
      </div>
      <p class="small soft">{t("issuer.about")}</p>
      {issuances.value !== null && !list.length && <p class="empty soft">{t("issuer.none")}</p>}
      <ul class="halls">
        {list.map((one) => (
          <li key={one.code}>
            <button class="card" type="button" onClick={() => choose(one.code)}>
              <span class={`chip ${one.open ? "good" : ""}`}>{t(one.open ? "issuer.open" : "issuer.closed")}</span>
              <strong class="grow">{one.title}</strong>
              <span class="code">{one.code}</span>
              <span class="soft small figure">{t("issuer.issued_count", { count: figure(one.issued) })}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
