/** What the address says: `/host/CODE?…#SECRET`. */
export function codeOf(): string {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "").toUpperCase();
}

/**
 * The secret of a staff link. It comes in the fragment, which browsers send to nobody, and leaves the address bar at once: no
 * history, bookmark or screenshot keeps it. A reload of this tab finds it in the tab's own storage.
 */
export function secretOf(): string {
  const place = `townhall.secret.${location.pathname}`;
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
