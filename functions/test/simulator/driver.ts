import { setImmediate as settled } from 'node:timers/promises';
import type { World } from './world.ts';

/** Most steps of one history: a history that needs more never ends. */
const mostSteps = 200_000;

/** How a driver lets things happen. */
export interface Driving {
  /** Work that has not begun, in order; the driver begins it when it likes. */
  work: (() => Promise<void>)[];
  /** How many pieces of work may be under way at once. */
  parallel: number;
  /** Called after every step; what it throws ends the history. */
  afterStep?: () => void;
}

/** Lets everything happen that is waiting, in an order that only chance decides, until all work is done and nothing waits any more. */
export async function drive(world: World, { work, parallel, afterStep = () => undefined }: Driving): Promise<void> {
  const waiting = [...work];
  const failures: unknown[] = [];
  let underWay = 0;
  const begin = async (): Promise<void> => {
    underWay++;
    waiting.shift()!().catch((error: unknown) => failures.push(error)).finally(() => underWay--);
    await settled();
  };
  for (let step = 0; step < mostSteps; step++) {
    afterStep();
    if (failures.length > 0) throw failures[0];
    const tasks = world.scheduler.runnable();
    const canBegin = waiting.length > 0 && underWay < parallel;
    if (canBegin && (tasks.length === 0 || world.chance.is(0.1))) await begin();
    // Now and then time passes although something could happen: a slow network.
    else if (tasks.length > 0 && !world.chance.is(0.02)) await world.scheduler.run(tasks[world.chance.below(tasks.length)]!);
    else if (!(underWay > 0 || tasks.length > 0) || !(await world.scheduler.advance())) {
      if (tasks.length === 0 && waiting.length === 0 && underWay === 0) return;
      if (tasks.length === 0 && underWay > 0) throw new Error(`${underWay} calls wait for something that never happens`);
    }
  }
  throw new Error('this history does not end');
}
