/** The origin that people are sent to for their entry, or "": `url` is anything else than https (or this machine) and a host. */
export function issuerOrigin(url: string): string {
  let found: URL;
  try {
    found = new URL(url);
  } catch {
    return "";
  }
  const here = found.hostname === "localhost" || found.hostname.endsWith(".localhost") || found.hostname === "[::1]" || /^127(\.\d+){3}$/.test(found.hostname);
  const safe = found.protocol === "https:" || (found.protocol === "http:" && here);
  return safe && found.origin === url ? url : "";
}
