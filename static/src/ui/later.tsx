/** Parts of a page whose code is loaded when they are first shown. */
import { signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { toast } from "./parts";

/** A component that draws nothing until `load` has brought the real one; says so where that fails, and tries again when next shown. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const loaded = signal<{ Part: ComponentType<Props> } | null>(null);
  return function Later(props: Props): JSX.Element | null {
    useEffect(() => {
      if (loaded.value) return;
      load().then(
        (Part) => (loaded.value = { Part }),
        () => toast(t("common.part_missing"), true),
      );
    }, []);
    const found = loaded.value;
    return found && <found.Part {...props} />;
  };
}
