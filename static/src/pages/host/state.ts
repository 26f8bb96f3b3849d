/** What the console knows and can do. Every command goes through `act`, which says what was refused, and by whom it was done. */
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { allOf, oneOf } from "../../feed/fold";
import { closedOf, openOf } from "../../feed/polls";
import { type Named, named, pseudonym, t } from "../../i18n";
import { Link } from "../../link/link";
import { staffTicket } from "../../link/staff";
import type { Act, Acts, Director, HeldAuthors, HostAdmission, HostHall, HostMessage, HostOnAir, MutedAuthors, OverlayState, Preview, Queue } from "../../protocol/types";
import { acting } from "../../ui/act";
import { toast } from "../../ui/parts";
import { codeOf } from "../../ui/route";

export const link = new Link("host", codeOf(), staffTicket("host"));

function single<T>(kind: string): ReadonlySignal<T | undefined> {
  return computed(() => {
    void link.version.value;
    return oneOf<T>(link.view, kind);
  });
}

export const hall = single<HostHall>("hall");
export const air = single<HostOnAir>("on_air");
export const preview = single<Preview>("preview");
export const overlay = single<OverlayState>("overlay");
export const admission = single<HostAdmission>("admission");
export const muted = single<MutedAuthors>("muted");
export const heldAuthors = single<HeldAuthors>("held_authors");
export const acts = single<Acts>("acts");
const queued = single<Queue>("queue");
export const messages = computed(() => {
  void link.version.value;
  return allOf<HostMessage>(link.view, "message");
});
export const queue = computed(() => (queued.value?.order ?? []).map((id) => message(id)).filter((found): found is HostMessage => found !== undefined));

export const openPoll = computed(() => {
  void link.version.value;
  return openOf(link.view);
});
export const closedPolls = computed(() => {
  void link.version.value;
  return closedOf(link.view);
});

export function message(id: number | null | undefined): HostMessage | undefined {
  void link.version.value; // whoever draws it draws it again when it changes
  return id ? (link.view.get(`message:${id}`) as unknown as HostMessage | undefined) : undefined;
}

export function directorOf(id: string | null | undefined): Director | undefined {
  return hall.value?.setup.directors?.find((one) => one.id === id);
}

export function departmentOf(director: Director | undefined): Named | undefined {
  const found = hall.value?.setup.departments?.find((one) => one.id === director?.department);
  return found && { ko: found.name_ko, en: found.name_en };
}

export function nameOf(by: string): string {
  const [role, id] = by.split(":");
  const found = role === "host" ? hall.peek()?.setup.hosts?.find((one) => one.id === id) : role === "director" ? directorOf(id) : undefined;
  return found ? named(found) : (hall.peek()?.moderators?.[id ?? ""] ?? id ?? by);
}

export function supportOf(one: HostMessage): number {
  return Math.max(link.gauges.value.support[one.id] ?? 0, one.fate?.support ?? 0);
}

// --- the list ---
export type Filter = "all" | "held" | "asked" | "supported" | "removed";
export const filter = signal<Filter>("all");
export const search = signal("");
export const frozenAt = signal<number | null>(null);
export const selected = signal<number | null>(null);

export const shown = computed(() => {
  const words = search.value.trim().toLowerCase();
  const frozen = frozenAt.value;
  let found = messages.value.filter((one) => {
    if (frozen !== null && one.id > frozen) return false;
    if (words && !(one.text ?? "").toLowerCase().includes(words) && !pseudonym(one.who).toLowerCase().includes(words)) return false;
    switch (filter.value) {
      case "all":
        return one.state !== "removed";
      case "held":
        return one.state === "held";
      case "asked":
        return one.state !== "removed" && (one.asked ?? false);
      case "supported":
        return one.state === "visible" && one.fate !== undefined && supportOf(one) > 0;
      case "removed":
        return one.state === "removed";
    }
  });
  if (filter.value === "supported") found = [...found].sort((a, b) => supportOf(a) - supportOf(b));
  return found;
});
export const heldCount = computed(() => messages.value.filter((one) => one.state === "held").length);

// --- acting ---
/** True: done. A refusal is shown. */
export const act = acting(link);

/** What an act was, in words. */
export function told(one: Act): string {
  return t(`host.acts.${one.kind.replace(".", "_")}`, { message: one.message ?? "" });
}

// Other moderators' acts are seen at once; my own only where they can be undone.
let toldSeq = -1;
effect(() => {
  const last = acts.value?.last ?? [];
  const newest = last.at(-1)?.seq ?? 0;
  const me = link.hello.peek()?.you?.id;
  if (toldSeq >= 0) {
    for (const one of last) {
      if (one.seq <= toldSeq || !one.by || one.kind === "question.previewed") continue;
      if (one.by === `host:${me}`) {
        if (one.undoable) toast(t("host.done_undo", { what: told(one) }));
      } else toast(t("host.did", { by: nameOf(one.by), what: told(one) }));
    }
  }
  if (link.hello.peek()) toldSeq = Math.max(toldSeq, newest);
});
