/** ops/platform: the balance of the whole platform, as it was last counted. */
export interface PlatformDoc {
  balanceDOFs: number;
  /** Whether it was below the threshold; an alert goes out when this becomes true. */
  below: boolean;
  /** ms since the epoch when it was counted. */
  countedAt: number;
  /** Rises with every alert. */
  alerts: number;
}

/** How often the platform's balance is counted: counting reads the index of every agent. */
export const countEveryMs = 15 * 60 * 1000;

/** The platform's balance after it was counted, and whether it has just fallen below the threshold (seed 001: DOF Balance Low). */
export function nextPlatform(before: PlatformDoc | null, balanceDOFs: number, threshold: number, now: number): { platform: PlatformDoc; alert: boolean } {
  const below = balanceDOFs < threshold;
  const alert = below && !(before?.below ?? false);
  return { platform: { balanceDOFs, below, countedAt: now, alerts: (before?.alerts ?? 0) + (alert ? 1 : 0) }, alert };
}
