/**
 * The thresholds that a balance fell below with one change, highest first: it was at or above each of them before.
 * Edge-triggered without any state: only what raises the balance to a threshold again arms it again.
 */
export function crossedThresholds(thresholds: number[], before: number, after: number): number[] {
  return thresholds.filter((threshold) => before >= threshold && after < threshold).sort((a, b) => b - a);
}
