/** HTTP beside the link: always an Ack. */
import { language } from "../i18n";
import type { Ack } from "../protocol/types";

export async function api(path: string, options: { method?: string; token?: string; body?: BodyInit | object } = {}): Promise<Ack> {
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
    });
    return (await response.json()) as Ack;
  } catch {
    return { ok: false, error: { code: "unreachable", message: "", temporary: true } };
  }
}
