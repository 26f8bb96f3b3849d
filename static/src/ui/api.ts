/** HTTP beside the link: always an Ack. */
import { language } from "../i18n";
import type { Ack } from "../protocol/types";

interface Asked {
  method?: string;
  token?: string;
  body?: BodyInit | object;
  /**
   * Without: no cookie goes along, and the browser uses another connection than for the page itself, so that what is shown there
   * and the loading of a page have none in common. `same-origin`: where a session is needed, and for what a page asks as it loads.
   */
  credentials?: RequestCredentials;
}

export async function api(path: string, options: Asked = {}): Promise<Ack> {
  const plain = options.body !== undefined && !(options.body instanceof Blob) && typeof options.body !== "string";
  const headers: Record<string, string> = { "Accept-Language": language.value };
  if (options.token) headers["Authorization"] = `Bearer ${options.token}`;
  if (plain) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(path, {
      method: options.method ?? "GET",
      headers,
      body: options.body === undefined ? null : plain ? JSON.stringify(options.body) : (options.body as BodyInit),
      cache: "no-store",
      credentials: options.credentials ?? "omit",
    });
    return (await response.json()) as Ack;
  } catch {
    return { ok: false, error: { code: "unreachable", message: "", temporary: true } };
  }
}
