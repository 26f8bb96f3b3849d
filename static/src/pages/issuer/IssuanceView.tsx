import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { figure, t } from "../../i18n";
import { Dialog, toast } from "../../ui/parts";
import { Invitations } from "./Invitations";
import { closeIssuing, invited, type Issuance } from "./state";

/** One issuance: what to carry to the chat, what to read out, who to invite, and the end of it. */
export function IssuanceView({ issuance }: { issuance: Issuance }): JSX.Element {
  const sure = useSignal(false);
  const until = new Date(issuance.closes_at * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const kinds = issuance.issuer.kinds;
  return (
    <>
      <section class="card" aria-labelledby="title">
        <div class="row">
          <span class={`chip ${issuance.open ? "good" : ""}`}>{t(issuance.open ? "issuer.open" : "issuer.closed")}</span>
          <h2 id="title" class="grow">
            {issuance.title}
          </h2>
          <span class="code">{issuance.code}</span>
        </div>
        <dl class="figures">
          <div>
            <dt>{t("issuer.issued")}</dt>
            <dd class="figure">{figure(issuance.issued)}</dd>
          </div>
          {issuance.open && kinds.includes("invitation") && (
            <div>
              <dt>{t("issuer.invited")}</dt>
              <dd class="figure">{figure(invited.value?.invited ?? 0)}</dd>
            </div>
          )}
        </dl>
        <p class="small soft">{t("issuer.never_who")}</p>
        <p class="small">{issuance.open ? t("issuer.until", { until }) : t("issuer.destroyed")}</p>
        <p class="small">{t("issuer.who_is", { kinds: kinds.map((kind) => t(`issuer.kind.${kind}`)).join(" · ") })}</p>
        <p class="small">{t("issuer.audience", { url: `${issuance.chat_url}/t/${issuance.code}` })}</p>
      </section>
      <Card issuance={issuance} />
      <section class="card" aria-labelledby="fingerprint">
        <h2 id="fingerprint">{t("issuer.fingerprint")}</h2>
        <p class="small soft">{t("issuer.fingerprint_hint")}</p>
        <ol class="words" lang={issuance.language}>
          {issuance.key_words.map((pair) => (
            <li key={pair}>{pair}</li>
          ))}
        </ol>
        <details>
          <summary class="small">{t("issuer.fingerprint_hex")}</summary>
          <code class="small">{issuance.key_hex}</code>
        </details>
      </section>
      {issuance.open && kinds.includes("invitation") && <Invitations issuance={issuance} />}
      {issuance.open && (
        <section class="card" aria-labelledby="end">
          <h2 id="end">{t("issuer.end")}</h2>
          <p class="small">{t("issuer.end_hint")}</p>
          <div>
            <button class="button bad" type="button" onClick={() => (sure.value = true)}>
              {t("issuer.close")}
            </button>
          </div>
        </section>
      )}
      {sure.value && (
        <Dialog title={t("issuer.close_title", { title: issuance.title })} onClose={() => (sure.value = false)}>
          <p>{t("issuer.close_sure", { count: figure(issuance.issued) })}</p>
          <div class="actions">
            <button class="button" type="button" onClick={() => (sure.value = false)}>
              {t("common.cancel")}
            </button>
            <button
              class="button bad"
              type="button"
              onClick={() => {
                sure.value = false;
                void closeIssuing(issuance.code).then((done) => done && toast(t("issuer.closed_now")));
              }}
            >
              {t("issuer.close")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Card({ issuance }: { issuance: Issuance }): JSX.Element {
  const text = useRef<HTMLTextAreaElement>(null);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(JSON.stringify(issuance.issuer));
      toast(t("issuer.copied"));
    } catch {
      // Without HTTPS a page may not write to the clipboard: the text is marked for the keyboard.
      text.current?.focus();
      text.current?.select();
      toast(t("issuer.copy_by_hand"));
    }
  }
  return (
    <section class="card" aria-labelledby="card">
      <h2 id="card">{t("issuer.card")}</h2>
      <p class="small">{t("issuer.card_hint", { chat: `${issuance.chat_url}/organiser`, code: issuance.code })}</p>
      <textarea ref={text} class="field code-text" rows={4} readOnly spellcheck={false} aria-labelledby="card" value={JSON.stringify(issuance.issuer)} />
      <div>
        <button class="button primary" type="button" onClick={() => void copy()}>
          {t("issuer.copy")}
        </button>
      </div>
    </section>
  );
}
