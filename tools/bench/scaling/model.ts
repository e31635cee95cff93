import { limits, prices } from './facts.ts';

/** What one session does, and what an instance is configured for. */
export interface Assumptions {
  /** Frames that a session sends per second. */
  framesPerSecond: number;
  /** Frames of a whole session. */
  framesPerSession: number;
  /** People who watch a session, its owner included. */
  watchers: number;
  /** Seconds that a turn takes, nearly all of them the model's. */
  turnSeconds: number;
  /** Turns that an instance of processFrame is given at once, and how many of these places are taken on average. */
  concurrency: number;
  utilisation: number;
  memoryGiB: number;
  /** Most instances, as configured. */
  maxInstances: number;
  /** Bytes of an event, with its attributes. */
  eventBytes: number;
}

/** As measured: see docs/benchmarks.json. */
export interface Measured {
  /** Firestore operations of start and end of a session together. */
  session: Operations;
  /** Firestore operations of one frame: settlements, longer holds and their events. */
  frame: Operations;
  /** The naive side: a transaction for every frame. */
  naiveFrame: Operations;
  /** Events of a session and of a frame. */
  database: { memberBytes: number; memberMessages: number; functionBytes: number; functionMessages: number; functionRequests: number };
  /** Documents read by a sweep that has nothing to do. */
  idleSweepReads: number;
}

/** Firestore operations. */
export interface Operations {
  reads: number;
  writes: number;
  deletes: number;
}

/** What so many sessions at once need and cost. */
export interface Scale {
  sessions: number;
  framesPerSecond: number;
  firestore: { operationsPerSecond: number; writesPerSecond: number };
  database: { connections: number; responsesPerSecond: number; requestsPerSecond: number; databases: number };
  instances: number;
  /** USD per month of 30 days in which so many sessions are open all the time. */
  monthly: { firestore: number; database: number; instances: number; requests: number; events: number; total: number };
  /** The Firestore operations of the naive side alone. */
  naiveFirestoreMonthly: number;
}

const monthSeconds = 30 * 24 * 3_600;
const sweepsPerSecond = 1 / 60;

/** USD for operations. */
export function firestoreCost({ reads, writes, deletes }: Operations): number {
  return (reads * prices.firestoreRead.value + writes * prices.firestoreWrite.value + deletes * prices.firestoreDelete.value) / 100_000;
}

/** Operations per frame with the start and end of its session spread over its frames. */
export function perFrame({ session, frame }: Pick<Measured, 'session' | 'frame'>, { framesPerSession }: Pick<Assumptions, 'framesPerSession'>): Operations {
  const share = (name: keyof Operations): number => frame[name] + session[name] / framesPerSession;
  return { reads: share('reads'), writes: share('writes'), deletes: share('deletes') };
}

/** What `sessions` open sessions need and cost. */
export function scale(sessions: number, measured: Measured, assumed: Assumptions): Scale {
  const framesPerSecond = sessions * assumed.framesPerSecond;
  const each = perFrame(measured, assumed);
  const { database } = measured;
  const instances = Math.ceil((framesPerSecond * assumed.turnSeconds) / (assumed.concurrency * assumed.utilisation));
  const connections = sessions * assumed.watchers + instances;
  const responsesPerSecond = framesPerSecond * (database.memberMessages * assumed.watchers + database.functionMessages);
  const requestsPerSecond = framesPerSecond * database.functionRequests;
  // Every event is one document that a time-to-live deletes; it is published and delivered once.
  const eventBytesPerSecond = framesPerSecond * each.deletes * assumed.eventBytes * 2;
  const month = {
    firestore: monthSeconds * (framesPerSecond * firestoreCost(each) + sweepsPerSecond * firestoreCost({ reads: measured.idleSweepReads, writes: 0, deletes: 0 })),
    database: (monthSeconds * framesPerSecond * (database.memberBytes * assumed.watchers + database.functionBytes) * prices.databaseDownload.value) / 1e9,
    instances: monthSeconds * instances * (prices.cpuSecond.value + prices.memorySecond.value * assumed.memoryGiB),
    requests: (monthSeconds * framesPerSecond * prices.requests.value) / 1e6,
    events: (monthSeconds * eventBytesPerSecond * prices.pubsub.value) / 2 ** 40,
  };
  return {
    sessions,
    framesPerSecond,
    firestore: { operationsPerSecond: framesPerSecond * (each.reads + each.writes + each.deletes), writesPerSecond: framesPerSecond * each.writes },
    database: {
      connections, responsesPerSecond, requestsPerSecond,
      databases: Math.ceil(Math.max(connections / limits.databaseConnections.value, responsesPerSecond / limits.databaseResponses.value, requestsPerSecond / limits.databaseWrites.value)),
    },
    instances,
    monthly: { ...month, total: Object.values(month).reduce((sum, cost) => sum + cost, 0) },
    naiveFirestoreMonthly: monthSeconds * framesPerSecond * firestoreCost(measured.naiveFrame),
  };
}
