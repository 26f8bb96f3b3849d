import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { figure, named, t } from "../../i18n";
import type { OrganiserHall, RenewLinks, RoleLink } from "../../protocol/types";
import { Dialog, toast } from "../../ui/parts";
import { SetupForm } from "./SetupForm";
import { act, download } from "./state";

const FILES = [
  ["report.html", "report"],
  ["questions.csv", "csv_file"],
  ["record.jsonl", "jsonl"],
] as const;

export function HallPage({ hall }: { hall: OrganiserHall }): JSX.Element {
  const counts = hall.counts ?? {};
  const removed = Object.values(counts.removed ?? {}).reduce((sum, count) => sum + count, 0);
  const questions = Object.values(counts.questions ?? {}).reduce((sum, count) => sum + count, 0);
  const left = ["asked", "queued", "on_air"].reduce((sum, fate) => sum + (counts.questions?.[fate] ?? 0), 0);
  const editing = useSignal(hall.phase === "draft");
  return (
    <>
      <section class="card" aria-labelledby="state">
        <div class="row">
          <h2 id="state" class="grow">
            {hall.setup.title} <span class="code">{hall.code}</span>
          </h2>
          <span class={`chip ${hall.phase === "open" ? "good" : hall.phase === "draft" ? "warn" : ""}`}>{t(`organiser.${hall.phase}`)}</span>
          {hall.phase === "draft" && (
            <button class="button primary" type="button" onClick={() => void act(hall.code, "hall:open", {})}>
              {t("organiser.open_hall")}
            </button>
          )}
          {hall.phase === "open" && (
            <button class="button bad" type="button" onClick={() => confirm(t("organiser.close_sure", { open: left })) && void act(hall.code, "hall:close", {})}>
              {t("organiser.close_hall")}
            </button>
          )}
        </div>
        <dl class="figures">
          {(
            [
              ["viewers", hall.viewers ?? 0],
              ["received", counts.received ?? 0],
              ["visible", counts.visible ?? 0],
              ["held", counts.held ?? 0],
              ["removed", removed],
              ["questions", questions],
            ] as const
          ).map(([name, value]) => (
            <div key={name}>
              <dt>{t(`organiser.${name}`)}</dt>
              <dd class="figure">{figure(value)}</dd>
            </div>
          ))}
        </dl>
        {hall.phase === "open" && (hall.viewers ?? 0) < 30 && <p class="small soft">{t("organiser.small")}</p>}
      </section>
      <Links hall={hall} />
      <section class="card" aria-labelledby="record">
        <h2 id="record">{t("organiser.record")}</h2>
        <p class="small soft">{t("organiser.record_hint")}</p>
        {hall.phase !== "closed" && <p class="small">{t("organiser.interim")}</p>}
        <div class="row">
          {FILES.map(([file, label]) => (
            <button key={file} class="button" type="button" onClick={() => void download(hall.code, file)}>
              ↓ {t(`organiser.${label}`)}
            </button>
          ))}
        </div>
      </section>
      {hall.phase !== "closed" && (
        <details class="card setup" open={editing.value}>
          <summary>{t("organiser.settings")}</summary>
          <SetupForm hall={hall} />
        </details>
      )}
    </>
  );
}

function Links({ hall }: { hall: OrganiserHall }): JSX.Element {
  const qr = useSignal<{ link: RoleLink; picture: string } | null>(null);
  const roles = ["audience", "host", "director", "overlay"] as const;
  const department = (id: string): string => {
    const director = hall.setup.directors?.find((one) => one.id === id);
    const found = hall.setup.departments?.find((one) => one.id === director?.department);
    return found ? named({ ko: found.name_ko, en: found.name_en }) : "";
  };
  async function show(link: RoleLink): Promise<void> {
    const response = await fetch("/api/v1/qr", {
      method: "POST",
      headers: { Authorization: `Bearer ${location.hash.slice(1)}`, "Content-Type": "application/json" },
      body: JSON.stringify({ text: link.url }),
    });
    if (!response.ok) return;
    qr.value = { link, picture: `data:image/svg+xml;base64,${btoa(await response.text())}` };
  }
  async function copy(link: RoleLink): Promise<void> {
    try {
      await navigator.clipboard.writeText(link.url);
      toast(t("organiser.copied"));
    } catch {
      void show(link);
    }
  }
  return (
    <section class="card links" aria-labelledby="links">
      <div class="row">
        <h2 id="links" class="grow">
          {t("organiser.links")}
        </h2>
        <button class="button small" type="button" onClick={() => print()}>
          {t("organiser.print")}
        </button>
      </div>
      <p class="small soft">{t("organiser.links_hint")}</p>
      {roles.map((role) => (
        <div class="role" key={role}>
          <p class="row">
            <strong class="grow">{t(`organiser.role.${role}`)}</strong>
            {role !== "audience" && (
              <button class="button quiet small" type="button" onClick={() => confirm(t("organiser.renew_sure")) && void act(hall.code, "links:renew", { role: role as RenewLinks["role"] })}>
                {t("organiser.renew")}
              </button>
            )}
          </p>
          <ul>
            {(hall.links ?? [])
              .filter((link) => link.role === role)
              .map((link) => (
                <li key={link.url} class="row">
                  <span class="grow">
                    {link.name && <strong>{link.name}</strong>} {role === "director" && <span class="soft small">{department(link.id)}</span>}
                    <a class="url small" href={link.url} target="_blank" rel="noreferrer">
                      {link.url}
                    </a>
                  </span>
                  <button class="button small" type="button" onClick={() => void copy(link)}>
                    {t("organiser.copy")}
                    <span class="hidden"> {link.name || t(`organiser.role.${role}`)}</span>
                  </button>
                  <button class="button small" type="button" onClick={() => void show(link)}>
                    {t("organiser.qr")}
                    <span class="hidden"> {link.name || t(`organiser.role.${role}`)}</span>
                  </button>
                </li>
              ))}
          </ul>
        </div>
      ))}
      {qr.value && (
        <Dialog title={qr.value.link.name || t(`organiser.role.${qr.value.link.role}`)} onClose={() => (qr.value = null)}>
          <img class="qr" src={qr.value.picture} alt={qr.value.link.url} />
          <p class="url small">{qr.value.link.url}</p>
          <div class="actions">
            <button class="button" type="button" onClick={() => (qr.value = null)}>
              {t("common.close")}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

