import type { Benchmark } from './benchmark.ts';
import { frameOverhead } from './frame.ts';
import { liveBytes } from './live.ts';
import { loading, memory } from './load.ts';
import { frameOperations } from './operations.ts';
import { manySessions, pruning } from './sessions.ts';
import { settleLag, settleRate } from './settle.ts';
import { startCost, startRoundTrips } from './start.ts';

/** Everything that is measured. */
export const benchmarks: readonly Benchmark[] = [startCost, startRoundTrips, frameOverhead, frameOperations, settleRate, settleLag, manySessions, pruning, loading, memory, liveBytes];
