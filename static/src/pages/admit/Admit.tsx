import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "../../i18n";
import { Entrance } from "../../ui/Entrance";
import { browser, busy, card, onlyWatch, sign, signIn, staff, wrong } from "./state";

export function Admit(): JSX.Element {
  const invitation = useSignal("");
  const shown = card.value;
  if (staff !== null) return <StaffSignIn />;
  return (
    <Entrance
      section="admit"
      lead={shown?.title ?? ""}
      stored={
        <>
          <p>{t("admit.stored_1")}</p>
          <p>{t("admit.stored_2")}</p>
          {shown?.kinds.includes("open") && <p>{t("admit.open_weaker")}</p>}
        </>
      }
    >
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      {shown?.kinds.includes("oidc") && (
        <button class="button primary wide" type="button" disabled={busy.value} onClick={signIn}>
          {t("admit.sign_in")}
        </button>
      )}
      {shown?.kinds.includes("invitation") && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (invitation.value.trim()) void sign("invitation", invitation.value.trim());
          }}
        >
          <label class="label" for="invitation">
            {t("admit.invitation")}
          </label>
          <input
            id="invitation"
            class="field code"
            value={invitation.value}
            autocomplete="off"
            spellcheck={false}
            maxLength={100}
            onInput={(event) => (invitation.value = event.currentTarget.value)}
          />
          <button class="button primary wide" type="submit" disabled={busy.value || !invitation.value.trim()}>
            {t("admit.enter")}
          </button>
        </form>
      )}
      {shown?.kinds.includes("open") && (
        <button class="button primary wide" type="button" disabled={busy.value} onClick={() => void sign("open", browser())}>
          {t("admit.open")}
        </button>
      )}
      {shown && (
        <button class="button quiet wide" type="button" onClick={onlyWatch}>
          {t("admit.watch")}
        </button>
      )}
    </Entrance>
  );
}

/** Where staff come who could not be let in: why, and once more. */
function StaffSignIn(): JSX.Element {
  return (
    <Entrance section="admit" heading={t("admit.staff")} lead={card.value?.title ?? ""}>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      <button class="button primary wide" type="button" onClick={signIn}>
        {t("admit.sign_in_staff")}
      </button>
      <p class="small soft">{t("admit.staff_hint")}</p>
    </Entrance>
  );
}
