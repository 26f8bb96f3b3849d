/**
 * What a page does with fragments: the newest value of a name wins, `gone` and `window` delete.
 * The server has the same in moderation/views/fold.py; both are tested by the files in tests/golden.
 */
export interface Fragment {
  k: string;
  id?: number | null;
  [field: string]: unknown;
}

export type View = Map<string, Fragment>;

/** Kinds of which there are many. Ids are places in the log, so that no two things share one. */
const NAMED: readonly string[] = ["message", "question", "poll"];

/** `kind`, or `kind:id` where there are many of a kind. */
export function nameOf(fragment: Fragment): string {
  if (fragment.k === "gone") return `message:${fragment.id}`;
  return NAMED.includes(fragment.k) ? `${fragment.k}:${fragment.id}` : fragment.k;
}

/** `view` in place, and returned. */
export function fold(view: View, fragments: readonly Fragment[]): View {
  for (const fragment of fragments) {
    if (fragment.k === "gone") {
      for (const kind of NAMED) view.delete(`${kind}:${fragment.id}`);
    } else if (fragment.k === "window") {
      for (const [name, kept] of view) if (leftBehind(kept, fragment["floor"] as number)) view.delete(name);
    } else {
      view.set(nameOf(fragment), fragment);
    }
  }
  return view;
}

function leftBehind(fragment: Fragment, floor: number): boolean {
  return fragment.k === "message" && fragment["fate"] === undefined && fragment["state"] !== "held" && placeOf(fragment) < floor;
}

/** Place in the chat: when it became visible, which for most is when it was posted. */
export function placeOf(fragment: Fragment): number {
  return (fragment["shown"] as number | undefined) ?? (fragment.id as number);
}

/** All fragments of a kind, in order of place. */
export function allOf<T>(view: View, kind: string): T[] {
  const found: Fragment[] = [];
  for (const fragment of view.values()) if (fragment.k === kind) found.push(fragment);
  return found.sort((a, b) => placeOf(a) - placeOf(b)) as T[];
}

/** The single fragment of a kind. */
export function oneOf<T>(view: View, kind: string): T | undefined {
  return view.get(kind) as T | undefined;
}
