/** What staff do: sent until it is answered, and what was refused is said. */
import { t } from "../i18n";
import { clientId, type Link } from "../link/link";
import type { Commands } from "../protocol/types";
import { toast } from "./parts";

const TRIES = 3;
const WAIT_MS = 700;
const AGAIN = ["not_saved", "unknown_outcome", "busy"];

type Payload<K extends keyof Commands> = Omit<Commands[K], "client_id">;
export type Act = <K extends keyof Commands>(command: K, payload: Payload<K>) => Promise<boolean>;

/** Sends commands over `link`, each with a fresh client id, and again with the same one when no answer came. True: done. */
export function acting(link: Link): Act {
  return async (command, payload) => {
    const whole = { client_id: clientId(), ...payload } as unknown as Commands[typeof command];
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        const ack = await link.send(command, whole);
        if (ack.ok) return true;
        if (!AGAIN.includes(ack.error?.code ?? "") || tries === TRIES) {
          toast(ack.error?.message ?? "", true);
          return false;
        }
      } catch {
        // No answer: the same client id makes asking again safe.
      }
      await new Promise((wait) => setTimeout(wait, WAIT_MS * tries));
    }
    toast(t("refusal.not_saved"), true);
    return false;
  };
}
