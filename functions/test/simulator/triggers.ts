import { settleCheckpoint } from '../../src/credits/triggers.ts';
import { publishEvent } from '../../src/events/triggers.ts';
import { mirrorSession } from '../../src/sessions/triggers.ts';
import type { Change } from '../memory/firestore.ts';
import type { World } from './world.ts';

/** An event of Firestore on its way to the function that it triggers. */
export interface TriggerEvent {
  name: 'settleCheckpoint' | 'mirrorSession' | 'publishEvent';
  path: string;
  handle: () => Promise<unknown>;
}

const patterns = [
  { name: 'settleCheckpoint', path: /^sessions\/([^/]+)\/checkpoints\/([^/]+)$/, created: true },
  { name: 'mirrorSession', path: /^sessions\/([^/]+)$/, created: false },
  { name: 'publishEvent', path: /^outbox\/([^/]+)$/, created: true },
] as const;

/** The events that a commit sets off, as the deployed triggers would get them. */
export function eventsOf(changes: Change[]): TriggerEvent[] {
  return changes.flatMap(({ path, before, snapshots }) => {
    const pattern = patterns.find((each) => each.path.test(path));
    if (!pattern || (pattern.created && before !== undefined)) return [];
    const [, sessionId = '', checkpointId = ''] = pattern.path.exec(path)!;
    const handle = (): Promise<unknown> => {
      switch (pattern.name) {
        case 'settleCheckpoint':
          return run(settleCheckpoint, { data: snapshots.after, params: { sessionId, checkpointId } });
        case 'mirrorSession':
          return run(mirrorSession, { data: snapshots, params: { sessionId } });
        case 'publishEvent':
          return run(publishEvent, { data: snapshots.after, params: {} });
      }
    };
    return [{ name: pattern.name, path, handle }];
  });
}

/** Runs a trigger's own code with an event; what a simulated event lacks, no trigger reads. */
function run(trigger: { run: (event: never) => unknown }, event: object): Promise<unknown> {
  return Promise.resolve(trigger.run(event as never));
}

/** How the events of a world are delivered. */
export interface Delivery {
  /** Picks the process that gets the next event. */
  processOf: () => Parameters<World['call']>[0];
  /** How often an event is delivered at least; 0 for one that is lost until the sweep. */
  copies: (event: TriggerEvent) => number;
}

/** Delivers the events of every commit, each as often as asked, in any order; a failed delivery is tried again. */
export function deliverEvents(world: World, { processOf, copies }: Delivery): void {
  const deliver = (event: TriggerEvent): void => {
    world.scheduler.add({ lane: null, owner: null, run: () => {
      world.call(processOf(), event.handle).catch(() => deliver(event));
    } });
  };
  world.onCommit((changes) => {
    for (const event of eventsOf(changes)) for (let copy = copies(event); copy > 0; copy--) deliver(event);
  });
}
