/** How long to wait before the next try, in ms: doubling from half a second to twenty, spread so that nobody marches in step. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const most = Math.min(20_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(most / 2 + (random() * most) / 2);
}
