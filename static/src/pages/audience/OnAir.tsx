import type { JSX } from "preact";
import { beside, duration, pseudonym, t, titled } from "../../i18n";
import { useNow } from "../../ui/parts";
import { hall, link, onAir } from "./state";
import { Support } from "./Support";

/** Characters from which a text may have to be scrolled on a phone; then the keyboard must reach it. */
const LONG = 80;

/** The question on air, and who answers it. */
export function OnAir(): JSX.Element | null {
  const now = useNow(link.skew.value);
  const found = onAir.value;
  if (!found) return null;
  const { air, message } = found;
  const director = hall.value?.directors?.find((one) => one.id === message.fate?.director);
  const department = hall.value?.departments?.find((one) => one.id === director?.department);
  const merged = message.fate?.merged?.length ?? 0;
  return (
    <section class="on-air" aria-label={t("audience.on_air")}>
      <p class="head">
        <span class="chip on_air live">
          <span class="dot" aria-hidden="true" />
          {t("audience.on_air")}
        </span>
        <span class="figure soft small">{air.since ? duration(now - air.since) : ""}</span>
        <span class="grow" />
        <Support message={message} />
      </p>
      <p class="text" tabIndex={(message.text ?? "").length > LONG ? 0 : undefined}>
        <bdi>{message.text}</bdi>
      </p>
      <p class="who soft small">
        <bdi>{pseudonym(message.who)}</bdi>
        {merged > 0 && ` · ${t("audience.together", { count: merged + 1 })}`}
      </p>
      <p class="director">
        {director ? (
          <>
            <span class="soft">{beside(department, director)}</span> <strong>{titled(director)}</strong> <span class="soft">{air.answering ? t("audience.answering") : t("audience.waiting")}</span>
          </>
        ) : (
          <span class="soft">{t("audience.unrouted")}</span>
        )}
      </p>
    </section>
  );
}
