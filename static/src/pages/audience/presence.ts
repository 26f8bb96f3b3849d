/** When this browser was last seen in this town hall: a visit that nothing came before is tied to no signing by its time. */
import { codeOf } from "../../ui/route";
import { local } from "../../ui/storage";

const HERE = `townhall.${codeOf()}.here`;
export const NOTE_MS = 5_000;

/** Unix seconds by this browser's clock; 0: never. */
function kept(): number {
  return Number(local.getItem(HERE)) || 0;
}

/** As it was before this page was loaded; null: a connection has been opened since. */
let before: number | null = null;

export function note(): void {
  local.setItem(HERE, String(Math.floor(Date.now() / 1000)));
}

/** A page of this town hall is loaded. */
export function came(): void {
  before = kept();
  note();
}

/** A connection has opened. Out: when this browser was here last before it, unix seconds by its own clock; 0: never. */
export function connected(): number {
  const found = before ?? kept();
  before = null;
  note();
  return found;
}
