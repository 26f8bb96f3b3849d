import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { language as shown, type Language, t } from "../../i18n";
import { toast } from "../../ui/parts";
import { call, choose, type Issuance, type Kind, type Offered, refresh } from "./state";

const KINDS: readonly Kind[] = ["invitation", "oidc", "open"];
const DAY_MS = 86_400_000;
const DAYS_MAX = 366;

/** A new key for a new town hall. A wrong field is named beside it. */
export function NewIssuance({ offered }: { offered: Offered }): JSX.Element {
  const title = useSignal("");
  const code = useSignal("");
  const chat = useSignal(offered.chat_url);
  const language = useSignal<Language>(shown.value);
  const ends = useSignal("");
  const kinds = useSignal<readonly Kind[]>([offered.kinds.includes("oidc") ? "oidc" : "invitation"]);
  const wrong = useSignal<{ field: string; message: string } | null>(null);
  const busy = useSignal(false);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    wrong.value = null;
    const origin = originOf(chat.value.trim());
    // As it is written, in the time zone of whoever fills it in.
    const endsAt = Math.floor(new Date(ends.value).getTime() / 1000);
    if (!origin) wrong.value = { field: "chat_url", message: t("issuer.bad_chat") };
    else if (!(endsAt * 1000 > Date.now() && endsAt * 1000 <= Date.now() + DAYS_MAX * DAY_MS)) wrong.value = { field: "ends_at", message: t("refusal.bad_end") };
    else if (!kinds.value.length) wrong.value = { field: "kinds", message: t("issuer.no_kind") };
    if (wrong.value) return;
    busy.value = true;
    const given = { title: title.value.trim(), chat_url: origin, kinds: kinds.value, language: language.value, ends_at: endsAt };
    const ack = await call("/api/v1/issuances", { method: "POST", body: code.value ? { ...given, code: code.value.toUpperCase() } : given });
    busy.value = false;
    if (!ack.ok) {
      wrong.value = { field: ack.error?.field ?? "", message: ack.error?.message ?? "" };
      return;
    }
    const made = ack.data as unknown as Issuance;
    toast(t("issuer.created", { code: made.code }));
    await refresh();
    choose(made.code);
  }

  const saysWrong = (part: string): boolean => wrong.value !== null && wrong.value.field.includes(part);
  const beside = (part: string): JSX.Element | null => (saysWrong(part) ? <p class="wrong" role="alert">{wrong.value!.message}</p> : null);

  return (
    <form class="setup-form" onSubmit={(event) => void submit(event)}>
      <h2>{t("issuer.new")}</h2>
      <label>
        <span class="label">{t("issuer.name")}</span>
        <input class="field" name="title" required maxLength={200} value={title.value} placeholder={t("issuer.name_hint")} aria-invalid={saysWrong("title")} onInput={(event) => (title.value = event.currentTarget.value)} />
        {beside("title")}
      </label>
      <div class="pair">
        <label>
          <span class="label">{t("issuer.code")}</span>
          <input class="field" name="code" value={code.value} pattern="[A-Za-z0-9]{4,10}" title={t("issuer.code_hint")} aria-invalid={saysWrong("code")} onInput={(event) => (code.value = event.currentTarget.value)} />
          <span class="small soft">{t("issuer.code_hint")}</span>
          {beside("code")}
        </label>
        <label>
          <span class="label">{t("issuer.chat")}</span>
          <input class="field" name="chat" required inputMode="url" value={chat.value} placeholder="https://" spellcheck={false} aria-invalid={saysWrong("chat_url")} onInput={(event) => (chat.value = event.currentTarget.value)} />
          <span class="small soft">{t("issuer.chat_hint")}</span>
          {beside("chat_url")}
        </label>
        <label>
          <span class="label">{t("issuer.language")}</span>
          <select class="field" name="language" value={language.value} onChange={(event) => (language.value = event.currentTarget.value as Language)}>
            <option value="ko">{t("common.korean")}</option>
            <option value="en">{t("common.english")}</option>
          </select>
          <span class="small soft">{t("issuer.language_hint")}</span>
        </label>
        <label>
          <span class="label">{t("issuer.ends")}</span>
          <input class="field" name="ends" type="datetime-local" required value={ends.value} aria-invalid={saysWrong("ends_at")} onInput={(event) => (ends.value = event.currentTarget.value)} />
          <span class="small soft">{t("issuer.ends_hint")}</span>
          {beside("ends_at")}
        </label>
      </div>
      <fieldset>
        <legend class="label">{t("issuer.who")}</legend>
        {KINDS.filter((kind) => offered.kinds.includes(kind)).map((kind) => (
          <label key={kind} class="kind">
            <input
              type="checkbox"
              name={kind}
              checked={kinds.value.includes(kind)}
              onChange={(event) => (kinds.value = KINDS.filter((one) => (one === kind ? event.currentTarget.checked : kinds.value.includes(one))))}
            />
            <span>
              {t(`issuer.kind.${kind}`)}
              <span class="small soft hint">{t(`issuer.kind_hint.${kind}`)}</span>
            </span>
          </label>
        ))}
        {!offered.kinds.includes("oidc") && <p class="small soft">{t("issuer.no_oidc")}</p>}
        {beside("kinds")}
      </fieldset>
      {wrong.value && !["title", "code", "chat_url", "ends_at", "kinds"].some(saysWrong) && (
        <p class="wrong" role="alert">
          {wrong.value.message}
        </p>
      )}
      <button class="button primary wide" type="submit" disabled={busy.value}>
        {t("issuer.create")}
      </button>
    </form>
  );
}

/** Scheme, host and port of an address that people can open; "" where it is none. */
function originOf(address: string): string {
  try {
    const url = new URL(address);
    return /^https?:$/.test(url.protocol) ? url.origin : "";
  } catch {
    return "";
  }
}
