/** The issuer's key in words, for everybody to compare: whoever is given a key of their own sees other words than those on air. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { keyWords, unb64 } from "../admission/token";
import { pair } from "../i18n";

export type Words = readonly (readonly [number, number])[];

/** Places of the words of `key` (base64url). Empty while they are made, without a key, and where a page without https cannot. */
export function useKeyWords(key: string | null | undefined): Words {
  const [found, setFound] = useState<{ key: string; words: Words } | null>(null);
  useEffect(() => {
    if (key && crypto.subtle) void keyWords(unb64(key)).then((words) => setFound({ key, words }));
  }, [key]);
  return found && found.key === key ? found.words : [];
}

export function KeyWords({ words }: { words: Words }): JSX.Element {
  return (
    <ol class="words">
      {words.map((one, place) => (
        <li key={place}>{pair(one)}</li>
      ))}
    </ol>
  );
}
