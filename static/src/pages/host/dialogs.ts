/** Which dialog is open, and for which message. */
import { signal } from "@preact/signals";

export type Open =
  | { kind: "remove" | "mute" | "defer" | "decline" | "write" | "route" | "merge" | "erase"; message: number }
  | { kind: "keys" | "close" | "muted" | "fingerprint" }
  | null;

export const dialog = signal<Open>(null);

export function ask(kind: Exclude<NonNullable<Open>, { kind: "keys" | "close" | "muted" | "fingerprint" }>["kind"], message: number | null): void {
  if (message !== null) dialog.value = { kind, message };
}
