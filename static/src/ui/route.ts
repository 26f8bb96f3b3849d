/** What the address says: `/host/CODE?…#SECRET`. */
export function codeOf(): string {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "").toUpperCase();
}

/** The secret of a staff link. It stays in the fragment, which browsers send to nobody. */
export function secretOf(): string {
  return location.hash.slice(1);
}
