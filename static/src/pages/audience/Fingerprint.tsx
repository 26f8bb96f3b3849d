/** The issuer's key in words, to be compared with what is read out on air: a server that hands out different keys is found out. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { keyHex, unb64 } from "../../admission/token";
import { t } from "../../i18n";
import { KeyWords, useKeyWords } from "../../ui/KeyWords";
import { admissionOf } from "./participation";

export function Fingerprint(): JSX.Element | null {
  const key = admissionOf()?.admission.issuer.key;
  const words = useKeyWords(key);
  const hex = useSignal("");
  useEffect(() => {
    if (key && crypto.subtle) void keyHex(unb64(key)).then((found) => (hex.value = found));
  }, [key]);
  if (words.length === 0) return null;
  return (
    <section class="fingerprint" aria-labelledby="fingerprint">
      <h3 id="fingerprint">{t("audience.key")}</h3>
      <KeyWords words={words} />
      <p class="small soft">{t("audience.key_why")}</p>
      <details class="small">
        <summary>{t("audience.key_hex")}</summary>
        <code>{hex.value}</code>
      </details>
    </section>
  );
}
