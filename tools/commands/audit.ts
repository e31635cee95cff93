import type * as StoreModule from '../../functions/src/audit/store.ts';
import { HELP, readOptions, type Options } from '../audit/options.ts';
import { jsonReport, textReport, type Report, type Summary } from '../audit/report.ts';
import { runCommand, UserError } from '../errors.ts';
import { credentialsProblem, pointAt } from '../target.ts';

const COULD_NOT_RUN = 2;
const PAGE = 25;

/** Rules and access to the databases are those of the functions. */
type Store = typeof StoreModule;
type Refs = Parameters<Store['auditSome']>[0];
type AgentAudit = Awaited<ReturnType<Store['auditSome']>>[number];

/** The agents that the options select, page by page. */
async function* selected(store: Store, { user, agent }: Options): AsyncGenerator<Refs> {
  if (user !== null) {
    yield await store.agentsOf(user, agent);
    return;
  }
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Awaited<ReturnType<Store['agentsAfter']>> = await store.agentsAfter(cursor, PAGE);
    yield page.refs.filter(({ id }) => agent === null || id === agent);
    cursor = page.cursor;
  }
}

/** Agents that are gone; nothing narrows this, since it finds them by their grants. Their number. */
async function reportMissing(store: Store, report: Report): Promise<number> {
  const gone = new Map<string, Parameters<Report['drift']>[0]>();
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Awaited<ReturnType<Store['missingAgents']>> = await store.missingAgents(cursor, 500);
    for (const drift of page.drifts) gone.set(drift.documents.join(), drift);
    cursor = page.cursor;
  }
  for (const drift of gone.values()) report.drift(drift);
  return gone.size;
}

/** Audits everything selected and reports each drift once, however many agents it concerns. */
async function auditAll(store: Store, options: Options, report: Report): Promise<AgentAudit[]> {
  const audits: AgentAudit[] = [];
  const told = new Set<string>();
  for await (const refs of selected(store, options)) {
    for (const audit of await store.auditSome(refs)) {
      const drifts = audit.drifts.filter((drift) => !told.has(JSON.stringify(drift)));
      for (const drift of drifts) told.add(JSON.stringify(drift));
      drifts.forEach(report.drift);
      audits.push({ ...audit, drifts });
    }
    report.progress(audits.length);
  }
  if (audits.length === 0 && options.agent !== null) throw new UserError(`There is no agent ${options.agent}${options.user === null ? '' : ` of user ${options.user}`}.`);
  if (audits.length === 0 && options.user !== null) throw new UserError(`There is no user ${options.user} that owns an agent.`);
  return audits;
}

/** Repairs what can be repaired; returns the number of agents that were. */
async function repairAll(store: Store, audits: AgentAudit[], report: Report): Promise<number> {
  let repaired = 0;
  for (const { ref } of audits.filter(({ drifts }) => drifts.some(({ repairable }) => repairable))) {
    try {
      const repair = await store.repairAgent(ref);
      if (repair) repaired++;
      const { agent = {}, released = [], sessions = {}, activeSessions = null } = repair ?? {};
      report.repair(ref.path, [
        ...Object.keys(agent), ...released.map(({ holdId }) => `hold ${holdId} released`),
        ...Object.entries(sessions).flatMap(([id, fields]) => Object.keys(fields).map((field) => `${field} of session ${id}`)), ...(activeSessions ? ['activeSessions'] : []),
      ]);
    } catch (error) {
      report.repair(ref.path, null, error instanceof Error ? error.message : String(error));
    }
  }
  return repaired;
}

function summed(audits: AgentAudit[], repaired: number | null, missing: number, begun: number): Summary {
  const sum = (of: (audit: AgentAudit) => number): number => audits.reduce((total, audit) => total + of(audit), 0);
  return {
    agents: audits.length, entries: sum(({ entries }) => entries), sessions: sum(({ sessions }) => sessions), drifts: missing + sum(({ drifts }) => drifts.length),
    repairable: sum(({ drifts }) => drifts.filter(({ repairable }) => repairable).length), unsteady: sum(({ unsteady }) => Number(unsteady)), repaired,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
  };
}

async function audit(options: Options, report: Report): Promise<number> {
  const begun = performance.now();
  const store = await import('../../functions/src/audit/store.ts');
  const { db } = await import('../../functions/src/runtime/firebase.ts');
  try {
    let audits = await auditAll(store, options, report);
    let repaired: number | null = null;
    if (options.repair) {
      repaired = await repairAll(store, audits, report);
      if (repaired > 0) {
        report.note('again, after the repair:');
        audits = await auditAll(store, options, report);
      }
    }
    const missing = options.user === null && options.agent === null ? await reportMissing(store, report) : 0;
    const summary = summed(audits, repaired, missing, begun);
    report.summary(summary);
    return summary.drifts === 0 ? 0 : 1;
  } finally {
    await db().terminate();
  }
}

await runCommand(async () => {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) {
      console.log(HELP);
      return 0;
    }
    await pointAt(options, 'audit');
    const { stdout } = process;
    const write = (text: string): void => { stdout.write(text); };
    return await audit(options, options.json ? jsonReport(write) : textReport(write, stdout.isTTY));
  } catch (error) {
    console.error(credentialsProblem(error) ?? (error instanceof UserError ? error.message : error));
    return COULD_NOT_RUN;
  }
});
