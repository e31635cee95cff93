/** A price or a limit as its provider publishes it. */
export interface Fact {
  what: string;
  value: number;
  unit: string;
  /** Page that states it. */
  source: string;
  /** How it is known: read in a stored copy of that page, or remembered; when. */
  known: string;
}

const read = 'read in a stored copy, 2026-11';
const remembered = 'from memory, 2026-11: check before relying on it';

const firestorePricing = 'https://cloud.google.com/firestore/pricing';
const databaseLimits = 'https://firebase.google.com/docs/database/usage/limits';
const runPricing = 'https://cloud.google.com/run/pricing';

/** Prices in USD, Firestore of the region us-central1 (multi-regions cost twice as much), Cloud Run of tier 1 billed by request. */
export const prices = {
  firestoreRead: { what: 'Firestore, 100,000 documents read', value: 0.03, unit: ' USD', source: firestorePricing, known: 'read in a third-party copy, undated; the multi-region price of 0.06 in a stored copy' },
  firestoreWrite: { what: 'Firestore, 100,000 documents written', value: 0.09, unit: ' USD', source: firestorePricing, known: 'read in a third-party copy, undated; the multi-region price of 0.18 in a stored copy' },
  firestoreDelete: { what: 'Firestore, 100,000 documents deleted, by time-to-live too', value: 0.01, unit: ' USD', source: firestorePricing, known: 'half of the multi-region price of 0.02, which was read in a stored copy, as with reads and writes' },
  databaseDownload: { what: 'Realtime Database, GB downloaded', value: 1, unit: ' USD', source: 'https://firebase.google.com/pricing', known: remembered },
  cpuSecond: { what: 'Cloud Run, vCPU-second', value: 0.000024, unit: ' USD', source: runPricing, known: read },
  memorySecond: { what: 'Cloud Run, GiB-second', value: 0.0000025, unit: ' USD', source: runPricing, known: 'read in a third-party copy of 2025' },
  requests: { what: 'Cloud Run, 1,000,000 requests', value: 0.4, unit: ' USD', source: runPricing, known: 'read in a third-party copy of 2025' },
  pubsub: { what: 'Pub/Sub, TiB published or delivered', value: 40, unit: ' USD', source: 'https://cloud.google.com/pubsub/pricing', known: 'read in a third-party copy of 2026-09-20' },
} satisfies Record<string, Fact>;

/** Limits beyond which something has to be split or asked for. */
export const limits = {
  databaseConnections: { what: 'Realtime Database, connections at once, per database', value: 200_000, unit: '', source: databaseLimits, known: read },
  databaseResponses: { what: 'Realtime Database, responses per second, per database', value: 100_000, unit: '', source: databaseLimits, known: read },
  databaseWrites: { what: 'Realtime Database, writes per second, per database', value: 1_000, unit: '', source: databaseLimits, known: remembered },
  documentWrites: { what: 'Firestore, sustained writes per second, per document', value: 1, unit: '', source: 'https://firebase.google.com/docs/firestore/best-practices', known: 'read in a third-party copy of an earlier version; now given as guidance' },
  rampUp: { what: 'Firestore, operations per second on a new collection, then 50 % more every 5 minutes', value: 500, unit: '', source: 'https://firebase.google.com/docs/firestore/best-practices', known: remembered },
  instances: { what: 'Cloud Run, instances per service where nothing else was asked for (1 vCPU, 1 GiB)', value: 1_000, unit: '', source: 'https://cloud.google.com/run/quotas', known: 'read in a stored, older copy; now depends on the region, and can be raised' },
  orderingKey: { what: 'Pub/Sub, MB per second, per ordering key', value: 1, unit: '', source: 'https://cloud.google.com/pubsub/quotas', known: 'read in a third-party thread' },
} satisfies Record<string, Fact>;
