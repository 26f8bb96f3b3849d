import type { JSX } from "preact";
import { figure, t } from "../../i18n";
import type { AudienceMessage } from "../../protocol/types";
import { Icon, toast } from "../../ui/parts";
import { hall, support, supported, supportOf } from "./state";

/** One person, one voice: press to give it, press again to take it back. */
export function Support({ message }: { message: AudienceMessage }): JSX.Element {
  const on = supported.value.has(message.id);
  const count = supportOf(message);
  return (
    <button
      class="button small support"
      type="button"
      aria-pressed={on}
      disabled={hall.value?.phase !== "open"}
      onClick={() => void support(message).then((refused) => refused !== null && toast(refused || t("refusal.not_saved"), true))}
    >
      <Icon name="up" />
      <span class="figure">{figure(count)}</span>
      <span class="hidden"> {t(on ? "audience.unsupport" : "audience.support_this")}</span>
    </button>
  );
}
