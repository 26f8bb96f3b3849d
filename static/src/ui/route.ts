/** What the address says: `/host/CODE?…#SECRET`. */
export function codeOf(): string {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "").toUpperCase();
}

/**
 * The secret of a staff link. It comes in the fragment, which browsers send to nobody, and leaves the address bar at once, for
 * screenshots and whoever looks on. The browser's history has the whole address by then: what is read there later opens nothing,
 * because the link is bound to this browser (link/bound.ts). A reload of this tab finds it in the tab's own storage.
 */
export function secretOf(): string {
  const place = secretPlace();
  const brought = location.hash.slice(1);
  try {
    if (brought) sessionStorage.setItem(place, brought);
    const kept = sessionStorage.getItem(place);
    if (brought) history.replaceState(history.state, "", location.pathname + location.search);
    return kept ?? "";
  } catch {
    // Without storage the fragment stays where it is, or a reload would lose it.
    return brought;
  }
}

/** Another secret in its place: what a grant of the issuer was changed for. */
export function keepSecret(secret: string): void {
  try {
    sessionStorage.setItem(secretPlace(), secret);
  } catch {
    // Held in memory then; a reload has to sign in again.
  }
}

function secretPlace(): string {
  return `townhall.secret.${location.pathname}`;
}
