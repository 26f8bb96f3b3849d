import type { JSX } from "preact";
import { t } from "../../i18n";
import { Entrance } from "../../ui/Entrance";
import { busy, card, invitation, onlyWatch, signInAsStaff, staff, takePart, wrong } from "./state";

export function Admit(): JSX.Element {
  if (staff !== null) return <StaffSignIn />;
  const shown = card.value;
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
      {shown?.open && <p>{t("admit.press")}</p>}
      <p class="wrong brief" role="alert">
        {wrong.value}
      </p>
      {shown?.open && <Ways kinds={shown.kinds} />}
      {shown && (
        <button class="button quiet wide" type="button" onClick={onlyWatch}>
          {t("admit.watch")}
        </button>
      )}
    </Entrance>
  );
}

/** A button for each way of showing that one may take part. */
function Ways({ kinds }: { kinds: readonly string[] }): JSX.Element {
  const typed = invitation.value.trim();
  return (
    <>
      {kinds.includes("oidc") && (
        <button class="button primary wide" type="button" disabled={busy.value} onClick={() => takePart("oidc")}>
          {t("admit.sign_in")}
        </button>
      )}
      {kinds.includes("invitation") && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (typed) takePart("invitation");
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
            autocapitalize="characters"
            spellcheck={false}
            maxLength={100}
            onInput={(event) => (invitation.value = event.currentTarget.value)}
          />
          <button class="button primary wide" type="submit" disabled={busy.value || !typed}>
            {t("admit.enter")}
          </button>
        </form>
      )}
      {kinds.includes("open") && (
        <button class="button primary wide" type="button" disabled={busy.value} onClick={() => takePart("open")}>
          {t("admit.open")}
        </button>
      )}
    </>
  );
}

/** Where staff come who could not be let in: why, and once more. */
function StaffSignIn(): JSX.Element {
  return (
    <Entrance section="admit" heading={t("admit.staff")} lead={card.value?.title ?? ""}>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      <button class="button primary wide" type="button" onClick={signInAsStaff}>
        {t("admit.sign_in_staff")}
      </button>
      <p class="small soft">{t("admit.staff_hint")}</p>
    </Entrance>
  );
}
