/** Which dialog is open, and for which message. */
import { signal } from "@preact/signals";

interface OfMessage {
  kind: "remove" | "mute" | "defer" | "decline" | "write" | "route" | "merge" | "erase";
  message: number;
}
export type Open = OfMessage | { kind: "keys" | "close" | "muted" | "fingerprint" | "polls" | "poll_close" } | null;

export const dialog = signal<Open>(null);

export function ask(kind: OfMessage["kind"], message: number | null): void {
  if (message !== null) dialog.value = { kind, message };
}
