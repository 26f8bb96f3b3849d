/**
 * What this tab asked for itself. Nothing is signed but what comes back with the random value that it made when somebody pressed
 * a button here, once, and within ten minutes: whoever sends a link can bring a value of their own, but no press and no `ask`.
 */
import { session } from "../../ui/storage";

export type Kind = "open" | "invitation" | "oidc";

export const GOOD_FOR_MS = 600_000;
const ASK_BYTES = 24;
const BLINDED = /^[A-Za-z0-9_-]{1,1000}$/;

/** What is to be signed, as the chat's page made it. */
export interface Brought {
  blinded: string;
  waiting: readonly string[];
}

/** Whoever pressed, and how they show that they may take part. */
export interface Pressed {
  kind: Kind;
  proof: string;
}

function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ASK_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** Of one town hall in this tab. `clock`: unix ms. */
export class Asked {
  private readonly pressedAt: string;
  private readonly tabAt: string;

  constructor(
    code: string,
    private readonly clock: () => number = Date.now,
  ) {
    this.pressedAt = `issuer.${code}.pressed`;
    this.tabAt = `issuer.${code}.tab`;
  }

  /** Somebody pressed: the `ask` with which the chat's page is to bring what is signed. */
  press(pressed: Pressed): string {
    const ask = random();
    session.removeItem(this.tabAt);
    session.setItem(this.pressedAt, JSON.stringify({ ask, pressed, at: this.clock() }));
    return ask;
  }

  /** It was brought. Null: not with the `ask` of a press, or one of long ago, or again. */
  brought(fragment: URLSearchParams): (Pressed & Brought) | null {
    const ask = fragment.get("ask");
    if (ask === null) return null;
    const kept = this.take<{ ask: string; pressed: Pressed; at: number }>(this.pressedAt);
    const [blinded, waiting] = [fragment.get("b") ?? "", (fragment.get("w") ?? "").split(",").filter(Boolean)];
    if (!kept || kept.ask !== ask || ![blinded, ...waiting].every((one) => BLINDED.test(one))) return null;
    return { ...kept.pressed, blinded, waiting };
  }

  /** Before a sign-in at the provider: what is to be signed after it, and the `tab` that has to come back. */
  leave(brought: Brought): string {
    const tab = random();
    session.setItem(this.tabAt, JSON.stringify({ tab, brought, at: this.clock() }));
    return tab;
  }

  /** Back from it. Null: this tab did not begin it, or long ago, or it was told already. */
  returned(tab: string | null): Brought | null {
    if (tab === null) return null;
    const kept = this.take<{ tab: string; brought: Brought; at: number }>(this.tabAt);
    return kept?.tab === tab ? kept.brought : null;
  }

  private take<T extends { at: number }>(place: string): T | null {
    try {
      const kept = JSON.parse(session.take(place) ?? "null") as T | null;
      return kept && Math.abs(this.clock() - kept.at) <= GOOD_FOR_MS ? kept : null;
    } catch {
      return null;
    }
  }
}
