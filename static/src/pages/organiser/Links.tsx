/** Staff links: made, told once, revoked one by one. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { figure, t } from "../../i18n";
import type { OrganiserHall, RoleLink, StaffLinkState } from "../../protocol/types";
import { Dialog, toast } from "../../ui/parts";
import { act, drawn, made, makeLinks } from "./state";

type Role = StaffLinkState["role"];
const ROLES: readonly Role[] = ["host", "director", "overlay"];
/** Of links that open in the first browser only. */
const BOUND: readonly string[] = ["host", "director"];
const DAYS = [1, 7, 30, 90, 365];

export function Links({ hall }: { hall: OrganiserHall }): JSX.Element {
  const qr = useSignal<{ link: RoleLink; picture: string } | null>(null);
  const days = useSignal(30);
  const audience: RoleLink = { role: "audience", id: "", name: "", url: hall.audience_url ?? "" };
  async function show(link: RoleLink): Promise<void> {
    const picture = await drawn(link.url);
    if (picture !== null) qr.value = { link, picture: `data:image/svg+xml;base64,${btoa(picture)}` };
  }
  async function copy(link: RoleLink): Promise<void> {
    try {
      await navigator.clipboard.writeText(link.url);
      toast(t("organiser.copied"));
    } catch {
      void show(link);
    }
  }
  const told = made.value[hall.code] ?? [];
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
      <div class="role">
        <strong>{t("organiser.role.audience")}</strong>
        <ul>
          <Told link={audience} copy={copy} show={show} />
        </ul>
      </div>
      {told.length > 0 && (
        <div class="role told">
          <p>
            <strong>{t("organiser.made_now")}</strong> <span class="small">{t("organiser.told_once")}</span>
          </p>
          <ul>
            {told.map((link) => (
              <Told key={link.url} link={link} copy={copy} show={show} />
            ))}
          </ul>
        </div>
      )}
      <label class="row small">
        {t("organiser.link_days")}
        <select class="field" value={days.value} onChange={(event) => (days.value = Number(event.currentTarget.value))}>
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {t("organiser.days", { count })}
            </option>
          ))}
        </select>
      </label>
      {ROLES.map((role) => (
        <OfRole key={role} hall={hall} role={role} days={days.value} />
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

function Told({ link, copy, show }: { link: RoleLink; copy: (link: RoleLink) => Promise<void>; show: (link: RoleLink) => Promise<void> }): JSX.Element {
  const whose = link.name || t(`organiser.role.${link.role}`);
  return (
    <li class="row">
      <span class="grow">
        {link.role !== "audience" && (
          <>
            <strong>{whose}</strong> <span class="soft small">{t(`organiser.role.${link.role}`)}</span>
          </>
        )}
        {BOUND.includes(link.role) ? (
          // Not to be opened here: it would be bound to this browser.
          <span class="url small">{link.url}</span>
        ) : (
          <a class="url small" href={link.url} target="_blank" rel="noreferrer">
            {link.url}
          </a>
        )}
      </span>
      <button class="button small" type="button" onClick={() => void copy(link)}>
        {t("organiser.copy")}
        <span class="hidden"> {whose}</span>
      </button>
      <button class="button small" type="button" onClick={() => void show(link)}>
        {t("organiser.qr")}
        <span class="hidden"> {whose}</span>
      </button>
    </li>
  );
}

/** Those of one role: who has one that holds, and who has none. */
function OfRole({ hall, role, days }: { hall: OrganiserHall; role: Role; days: number }): JSX.Element {
  const label = useSignal("");
  const links = (hall.links ?? []).filter((link) => link.role === role);
  const people = role === "host" ? (hall.setup.hosts ?? []) : role === "director" ? (hall.setup.directors ?? []) : [{ id: "overlay", name: t("organiser.role.overlay") }];
  const without = people.filter((one) => !links.some((link) => link.id === one.id && link.state === "holds"));
  return (
    <div class="role">
      <p class="row">
        <strong class="grow">{t(`organiser.role.${role}`)}</strong>
        {links.some((link) => link.state === "holds") && (
          <button class="button quiet small" type="button" onClick={() => confirm(t("organiser.renew_sure")) && void act(hall.code, "links:renew", { role })}>
            {t("organiser.renew")}
          </button>
        )}
      </p>
      <ul>
        {links.map((link) => (
          <li key={link.link} class={`row ${link.state}`} data-link={link.link}>
            <span class="grow">
              <strong>{link.label}</strong> <code class="small soft">{link.link}</code>{" "}
              <span class="small soft">
                {t(`organiser.link_${link.state}`, { until: new Date(link.expires * 1000).toLocaleDateString(document.documentElement.lang) })}
                {(link.live ?? 0) > 0 && ` · ${t("organiser.live", { count: figure(link.live ?? 0) })}`}
              </span>
            </span>
            {link.state === "holds" && (
              <>
                <button class="button small" type="button" onClick={() => void makeLinks(hall.code, [{ role, id: link.id, label: link.label }], days)}>
                  {t("organiser.one_more")}
                  <span class="hidden"> {link.label}</span>
                </button>
                <button class="button quiet small" type="button" onClick={() => confirm(t("organiser.revoke_sure", { label: link.label })) && void act(hall.code, "link:revoke", { link: link.link })}>
                  {t("organiser.revoke")}
                  <span class="hidden"> {link.label}</span>
                </button>
              </>
            )}
          </li>
        ))}
        {without.map((one) => (
          <li key={one.id} class="row">
            <span class="grow">
              <strong>{one.name}</strong> <span class="small soft">{t("organiser.no_link")}</span>
            </span>
            <button class="button small" type="button" onClick={() => void makeLinks(hall.code, [{ role, id: one.id, label: one.name }], days)}>
              {t("organiser.make_link")}
              <span class="hidden"> {one.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {role === "host" && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (label.value.trim()) void makeLinks(hall.code, [{ role, label: label.value.trim() }], days).then((done) => done && (label.value = ""));
          }}
        >
          <input class="field grow" value={label.value} maxLength={80} aria-label={t("organiser.moderator")} placeholder={t("organiser.moderator")} onInput={(event) => (label.value = event.currentTarget.value)} />
          <button class="button small" type="submit" disabled={!label.value.trim()}>
            {t("organiser.make_link")}
          </button>
        </form>
      )}
    </div>
  );
}
