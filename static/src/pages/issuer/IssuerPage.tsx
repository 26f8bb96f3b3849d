import type { JSX } from "preact";
import { figure, t } from "../../i18n";
import { Office, OfficeList } from "../../ui/Office";
import { IssuanceView } from "./IssuanceView";
import { NewIssuance } from "./NewIssuance";
import { choose, chosen, issuances, offered, problem, refresh } from "./state";

export function IssuerPage(): JSX.Element {
  const issuance = issuances.value?.find((one) => one.code === chosen.value);
  return (
    <Office section="issuer" refresh={refresh} problem={problem.value} back={chosen.value === null ? null : () => choose(null)}>
      {chosen.value === null && <List />}
      {issuance ? <IssuanceView key={issuance.code} issuance={issuance} /> : chosen.value === "" && offered.value && <NewIssuance offered={offered.value} />}
    </Office>
  );
}

function List(): JSX.Element {
  return (
    <OfficeList section="issuer" name="issuances" about={t("issuer.about")} add={offered.value && (() => choose(""))} items={issuances.value}>
      {(one) => (
        <li key={one.code}>
          <button class="card" type="button" onClick={() => choose(one.code)}>
            <span class={`chip ${one.open ? "good" : ""}`}>{t(one.open ? "issuer.open" : "issuer.closed")}</span>
            <strong class="grow">{one.title}</strong>
            <span class="code">{one.code}</span>
            <span class="soft small figure">{t("issuer.issued_count", { count: figure(one.issued) })}</span>
          </button>
        </li>
      )}
    </OfficeList>
  );
}
