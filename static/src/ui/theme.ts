/** Light, dark, or as the system says. */
import { signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEY = "townhall.theme";

export const theme = signal<Theme>("auto");

export function startTheme(): void {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "light" || kept === "dark") setTheme(kept);
  } catch {
    // As the system says.
  }
}

export function setTheme(chosen: Theme): void {
  theme.value = chosen;
  if (chosen === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Holds for this page.
  }
}
