import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../../i18n";
import type { Admission, Department, Director, Host, Issuer, OrganiserHall, Setup } from "../../protocol/types";
import { toast } from "../../ui/parts";
import { save } from "../../ui/save";
import { EMPTY, fromRows, type Row, toRows } from "./rows";
import { act, call, chosen, refresh, tell } from "./state";

const SAMPLE = "\uFEFF부서명,부서영문명,담당자,담당자영문명,직위,직위영문명,업무\r\n기획조정실,Planning and Coordination,한도윤,Han Doyun,기획조정실장,Director,예산 조직\r\n";

const COLUMNS: { name: keyof Row; label: string; required?: boolean }[] = [
  { name: "department", label: "department", required: true },
  { name: "director", label: "director", required: true },
  { name: "title", label: "position" },
  { name: "duties", label: "duties" },
  { name: "departmentEn", label: "department_en" },
  { name: "directorEn", label: "director_en" },
  { name: "titleEn", label: "position_en" },
];

/** The whole setup, sent whole. A wrong field is named beside it. */
export function SetupForm({ hall }: { hall?: OrganiserHall }): JSX.Element {
  const setup = hall?.setup;
  const title = useSignal(setup?.title ?? "");
  const code = useSignal("");
  const language = useSignal<"ko" | "en">(setup?.language ?? "ko");
  const mode = useSignal<"open" | "reviewed">(setup?.mode ?? "reviewed");
  const closesAfter = useSignal(setup?.closes_after_h ?? 12);
  const due = useSignal(setup?.written_due_days ?? 14);
  const kind = useSignal<"" | "hls" | "iframe">(setup?.video?.kind ?? "");
  const url = useSignal(setup?.video?.url ?? "");
  const pseudonyms = useSignal(setup?.keep_pseudonyms ?? true);
  const hosts = useSignal<Host[]>((setup?.hosts as Host[] | undefined) ?? [{ id: "host-1", name: t("organiser.role.host") }]);
  const card = useSignal("");
  const minimum = useSignal(30);
  const rows = useSignal<Row[]>(setup ? toRows(setup.departments as Department[], setup.directors as Director[]) : [{ ...EMPTY }]);
  const wrong = useSignal<{ field: string; message: string } | null>(null);
  const file = useRef<HTMLInputElement>(null);

  async function read(): Promise<void> {
    const chosenFile = file.current?.files?.[0];
    if (!chosenFile) return;
    const ack = await call("/api/v1/directors-csv", { method: "POST", body: chosenFile });
    file.current!.value = "";
    if (!ack.ok) {
      wrong.value = { field: "csv", message: ack.error?.message ?? "" };
      return;
    }
    const found = ack.data as { departments: Department[]; directors: Director[] };
    rows.value = toRows(found.departments, found.directors);
    wrong.value = null;
    toast(t("organiser.csv_read", { departments: found.departments.length, directors: found.directors.length }));
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const whole: Setup = {
      title: title.value,
      language: language.value,
      mode: mode.value,
      written_due_days: due.value,
      closes_after_h: closesAfter.value,
      video: kind.value ? { kind: kind.value, url: url.value.trim() } : null,
      keep_pseudonyms: pseudonyms.value,
      hosts: hosts.value.filter((host) => host.name.trim()),
      ...fromRows(rows.value),
    } as Setup;
    wrong.value = null;
    if (hall) {
      if (await act(hall.code, "hall:configure", { setup: whole })) toast(t("organiser.saved"));
      return;
    }
    let admission: Admission | null = null;
    if (card.value.trim()) {
      try {
        admission = { issuer: JSON.parse(card.value) as Issuer, minimum_participants: minimum.value };
      } catch {
        wrong.value = { field: "admission", message: t("organiser.bad_card") };
        return;
      }
    }
    const ack = await call("/api/v1/halls", {
      method: "POST",
      body: { setup: whole, ...(code.value ? { code: code.value.toUpperCase() } : {}), ...(admission ? { admission } : {}) },
    });
    if (!ack.ok) {
      wrong.value = { field: ack.error?.field ?? "", message: ack.error?.message ?? "" };
      return;
    }
    const made = ack.data as unknown as OrganiserHall;
    tell(made.code, made.made ?? []);
    toast(t("organiser.created", { code: made.code }));
    await refresh();
    chosen.value = made.code;
  }

  const saysWrong = (...parts: string[]): boolean => wrong.value !== null && parts.some((part) => wrong.value!.field.includes(part));
  const beside = (...parts: string[]): JSX.Element | null => (saysWrong(...parts) ? <p class="wrong" role="alert">{wrong.value!.message}</p> : null);

  return (
    <form class="setup-form" onSubmit={(event) => void submit(event)}>
      {!hall && <h2>{t("organiser.new")}</h2>}
      <label>
        <span class="label">{t("organiser.name")}</span>
        <input class="field" required maxLength={80} value={title.value} placeholder={t("organiser.name_hint")} aria-invalid={saysWrong("title")} onInput={(event) => (title.value = event.currentTarget.value)} />
        {beside("title")}
      </label>
      <div class="pair">
        {!hall && (
          <label>
            <span class="label">{t("organiser.code")}</span>
            <input class="field" value={code.value} pattern="[A-Za-z0-9]{4,10}" title={t("organiser.code_hint")} aria-invalid={saysWrong("code")} onInput={(event) => (code.value = event.currentTarget.value)} />
            <span class="small soft">{t("organiser.code_hint")}</span>
            {beside("code")}
          </label>
        )}
        <label>
          <span class="label">{t("organiser.mode")}</span>
          <select class="field" value={mode.value} onChange={(event) => (mode.value = event.currentTarget.value as "open")}>
            <option value="reviewed">{t("organiser.mode_reviewed")}</option>
            <option value="open">{t("organiser.mode_open")}</option>
          </select>
        </label>
        <label>
          <span class="label">{t("organiser.language")}</span>
          <select class="field" value={language.value} onChange={(event) => (language.value = event.currentTarget.value as "ko")}>
            <option value="ko">{t("common.korean")}</option>
            <option value="en">{t("common.english")}</option>
          </select>
        </label>
        <label>
          <span class="label">{t("organiser.due")}</span>
          <input class="field" type="number" min={1} max={90} value={due.value} onInput={(event) => (due.value = Number(event.currentTarget.value))} />
        </label>
        <label>
          <span class="label">{t("organiser.closes_after")}</span>
          <input class="field" type="number" min={1} max={168} required value={closesAfter.value} aria-invalid={saysWrong("closes_after")} onInput={(event) => (closesAfter.value = Number(event.currentTarget.value))} />
          <span class="small soft">{t("organiser.closes_after_hint")}</span>
        </label>
        <label>
          <span class="label">{t("organiser.video")}</span>
          <select class="field" value={kind.value} onChange={(event) => (kind.value = event.currentTarget.value as "hls")}>
            <option value="">{t("organiser.video_none")}</option>
            <option value="hls">{t("organiser.video_hls")}</option>
            <option value="iframe">{t("organiser.video_iframe")}</option>
          </select>
        </label>
        {kind.value && (
          <label>
            <span class="label">{t("organiser.video_url")}</span>
            <input class="field" type="url" required value={url.value} placeholder="https://" aria-invalid={saysWrong("video")} onInput={(event) => (url.value = event.currentTarget.value)} />
            {beside("video")}
          </label>
        )}
      </div>
      {!hall && (
        <div class="pair">
          <label>
            <span class="label">{t("organiser.card")}</span>
            <textarea class="field" rows={3} value={card.value} spellcheck={false} aria-invalid={saysWrong("admission")} onInput={(event) => (card.value = event.currentTarget.value)} />
            <span class="small soft">{t("organiser.card_hint")}</span>
            {isOpen(card.value) && (
              <span class="small" role="status">
                {t("organiser.card_open")}
              </span>
            )}
            {saysWrong("admission") && (
              <p class="wrong" role="alert">
                {t("organiser.bad_card")}
              </p>
            )}
          </label>
          {card.value.trim() && (
            <label>
              <span class="label">{t("organiser.minimum")}</span>
              <input class="field" type="number" min={1} max={1000} value={minimum.value} onInput={(event) => (minimum.value = Number(event.currentTarget.value))} />
              <span class="small soft">{t("organiser.minimum_hint")}</span>
            </label>
          )}
        </div>
      )}
      <label class="row">
        <input type="checkbox" checked={pseudonyms.value} onChange={(event) => (pseudonyms.value = event.currentTarget.checked)} />
        {t("organiser.pseudonyms")}
      </label>
      <fieldset>
        <legend class="label">{t("organiser.departments")}</legend>
        <div class="row">
          <input ref={file} id="csv" class="hidden" type="file" accept=".csv,text/csv,text/plain" onChange={() => void read()} />
          <label for="csv" class="button">
            {t("organiser.csv")}
          </label>
          <button class="button quiet" type="button" onClick={() => save(new Blob([SAMPLE], { type: "text/csv" }), "directors.csv")}>
            {t("organiser.csv_sample")}
          </button>
          <span class="small soft">{t("organiser.csv_hint")}</span>
        </div>
        {beside("csv", "directors", "departments")}
        <div class="table" role="region" aria-label={t("organiser.departments")} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {COLUMNS.map((column) => (
                  <th key={column.name} scope="col">
                    {t(`organiser.${column.label}`)}
                    {column.required && " *"}
                  </th>
                ))}
                <th scope="col">
                  <span class="hidden">{t("organiser.delete")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.value.map((row, place) => (
                <tr key={place}>
                  {COLUMNS.map((column) => (
                    <td key={column.name}>
                      <input
                        class="field"
                        aria-label={`${t(`organiser.${column.label}`)} ${place + 1}`}
                        value={row[column.name]}
                        onInput={(event) => (rows.value = rows.value.map((other, at) => (at === place ? { ...other, [column.name]: event.currentTarget.value } : other)))}
                      />
                    </td>
                  ))}
                  <td>
                    <button class="button small" type="button" aria-label={`${t("organiser.delete")} ${place + 1}`} onClick={() => (rows.value = rows.value.filter((_, at) => at !== place))}>
                      ×
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <button class="button small" type="button" onClick={() => (rows.value = [...rows.value, { ...EMPTY }])}>
          + {t("organiser.add")}
        </button>
      </fieldset>
      <fieldset>
        <legend class="label">{t("organiser.hosts")}</legend>
        {hosts.value.map((host, place) => (
          <p class="row" key={host.id}>
            <input
              class="field grow"
              aria-label={`${t("organiser.host")} ${place + 1}`}
              value={host.name}
              onInput={(event) => (hosts.value = hosts.value.map((other, at) => (at === place ? { ...other, name: event.currentTarget.value } : other)))}
            />
            <button class="button small" type="button" disabled={hosts.value.length === 1} aria-label={`${t("organiser.delete")} ${place + 1}`} onClick={() => (hosts.value = hosts.value.filter((_, at) => at !== place))}>
              ×
            </button>
          </p>
        ))}
        <button class="button small" type="button" onClick={() => (hosts.value = [...hosts.value, { id: nextHost(hosts.value), name: "" }])}>
          + {t("organiser.add")}
        </button>
        {beside("hosts")}
      </fieldset>
      {wrong.value && !["title", "code", "video", "csv", "directors", "departments", "hosts"].some((part) => wrong.value!.field.includes(part)) && (
        <p class="wrong" role="alert">
          {wrong.value.message}
        </p>
      )}
      <button class="button primary wide" type="submit">
        {t(hall ? "organiser.save" : "organiser.create")}
      </button>
    </form>
  );
}

/** Whether the card that was pasted gives an entry to whoever has the link. */
function isOpen(card: string): boolean {
  try {
    return ((JSON.parse(card) as Issuer).kinds ?? ["open"]).includes("open");
  } catch {
    return false;
  }
}

function nextHost(hosts: readonly Host[]): string {
  for (let number = 1; ; number++) if (!hosts.some((host) => host.id === `host-${number}`)) return `host-${number}`;
}
