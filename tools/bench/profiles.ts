/** Where the time of something goes: read off a CPU profile or clocks, and kept with its day since it is not taken again by every run. */
export interface Profile {
  taken: string;
  /** How it was taken. */
  how: string;
  /** What is in the columns after the name. */
  columns: string[];
  rows: [what: string, ...values: string[]][];
}

/** Profiles of benchmarks whose goal is missed, by id; shown with the miss. */
export const profiles: Partial<Record<string, Profile>> = {
  P3: {
    taken: '2026-11-21',
    how: '`node --cpu-prof` of the process that runs turns on databases in memory: 380 turns and as many direct calls, without the loading of modules. Each sample counts for the package whose function is nearest on the stack.',
    columns: ['ms of CPU', 'share'],
    rows: [
      ['fetch of Node, both kinds of call', '1,232', '20.7 %'],
      ['@firebase/database-compat and @firebase/util: transactions and listeners of turns', '1,197', '20.1 %'],
      ['functions/src', '805', '13.5 %'],
      ['database in memory, the other end of those', '545', '9.1 %'],
      ['collection of garbage', '506', '8.5 %'],
      ['Node itself', '453', '7.6 %'],
      ['openai, both kinds of call', '429', '7.2 %'],
      ['sharp, frames only', '390', '6.5 %'],
      ['firebase-functions (logger)', '198', '3.3 %'],
      ['zod', '150', '2.5 %'],
    ],
  },
  P6: {
    taken: '2026-11-21',
    how: 'the times at which the process took an event, made its two requests to Firestore and answered, for 175 events of each, on a machine with other work to do (load 7 on two cores). CPU is that of the whole process meanwhile, with its threads that compile and collect garbage.',
    columns: ['settleCheckpoint, ms, p50', 'p95', 'naiveTrigger, ms, p50', 'p95'],
    rows: [
      ['event taken until answered', '26.0', '53.6', '2.4', '10.6'],
      ['event decoded, read asked for', '4.0', '12.4', '-', '-'],
      ['read of session and agent (`BatchGetDocuments`)', '5.7', '18.6', '-', '-'],
      ['settlement computed, its commit written', '1.3', '4.7', '-', '-'],
      ['commit of session, agent, ledger entry and event (`Commit`)', '8.6', '25.1', '-', '-'],
      ['log entry, answer', '2.0', '7.3', '-', '-'],
      ['CPU', '11.0', '24.8', '2.0', '4.5'],
    ],
  },
  P9: {
    taken: '2026-11-21',
    how: '`node --cpu-prof` of one start of each. Each sample counts for the package whose function is nearest on the stack; packages below 15 ms on both sides are left out.',
    columns: ['processFrame, ms', 'hello, ms'],
    rows: [
      ['all', '886', '539'],
      ['Node itself and collection of garbage', '200', '152'],
      ['functions/lib: schemas, operations', '50', '-'],
      ['google-auth-library', '43', '69'],
      ['debug', '55', '10'],
      ['semver', '46', '21'],
      ['functions framework', '45', '11'],
      ['jsonwebtoken', '43', '9'],
      ['firebase-admin', '39', '29'],
      ['get-intrinsic', '39', '9'],
      ['jose', '38', '26'],
      ['google-logging-utils', '33', 'below 15'],
      ['firebase-functions', '20', 'below 15'],
      ['gaxios', 'below 15', '36'],
    ],
  },
};
