/** For employees: what is stored, what is not, what is not protected, and how to check. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { Preferences } from "../../ui/parts";

const SECTIONS: readonly (readonly [string, number])[] = [
  ["how", 3],
  ["stored", 5],
  ["never", 2],
  ["not", 4],
  ["check", 4],
  ["advice", 3],
];

export function Privacy(): JSX.Element {
  const [hash, setHash] = useState("");
  useEffect(() => {
    document.title = t("privacy.title");
    void fetch("/.well-known/townhall")
      .then((response) => response.json())
      .then((told: { pages?: { sha256?: string } }) => setHash(told.pages?.sha256 ?? ""))
      .catch(() => undefined);
  }, []);
  return (
    <div class="entrance privacy">
      <main>
        <h1>{t("privacy.title")}</h1>
        <p>
          <strong>{t("privacy.lead")}</strong>
        </p>
        {SECTIONS.map(([name, count]) => (
          <section key={name} aria-labelledby={name}>
            <h2 id={name}>{t(`privacy.${name}`)}</h2>
            <ul>
              {Array.from({ length: count }, (_, place) => (
                <li key={place}>
                  {t(`privacy.${name}_${place + 1}`)}
                  {name === "check" && place === 2 && hash && (
                    <>
                      {" "}
                      <code class="url">{hash}</code>
                    </>
                  )}
                </li>
              ))}
            </ul>
          </section>
        ))}
        <p>
          <a class="button" href="/">
            {t("privacy.back")}
          </a>
        </p>
      </main>
      <footer>
        <Preferences />
      </footer>
    </div>
  );
}
