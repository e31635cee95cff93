import { parseArgs } from 'node:util';
import { runCommand, UserError } from '../errors.ts';
import type { Mutation } from '../mutations/mutation.ts';
import { selectMutations, testRunsOf } from '../mutations/mutations.ts';
import { lineOf, summaryOf, tableOf } from '../mutations/report.ts';
import { runMutant, runUnmutated, type Verdict } from '../mutations/run.ts';
import { inParallel } from '../parallel.ts';
import { abortOnSignal } from './interrupt.ts';

const INTERRUPTED = 130;
/** Mutants that run at the same time. */
const width = 2;

const USAGE = `npm run test:mutations [-- WORDS]   removes each guard of the money code in turn; a test has to fail each time
  WORDS    only the mutants whose guard, file or sentence contains every word, such as: fence, credits/store
  --list   prints the mutants and runs nothing
  --help   prints this`;

function readArguments(args: string[]): { list: boolean; help: boolean; words: string[] } {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { list: { type: 'boolean' }, help: { type: 'boolean' } } });
    return { list: values.list ?? false, help: values.help ?? false, words: positionals };
  } catch {
    throw new UserError(`There are only these options:\n${USAGE}`);
  }
}

/** Shows on a terminal how far it has come; elsewhere nothing. */
function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${text.slice(0, process.stdout.columns - 1)}`);
}

function say(line: string): void {
  showProgress('');
  console.log(line);
}

/** The tests must pass on the code as it is, or their failing says nothing about a mutant. */
async function checkTests(mutations: Mutation[], signal: AbortSignal): Promise<void> {
  const problems: string[] = [];
  const runs = testRunsOf(mutations);
  let done = 0;
  await inParallel(runs, width, async (run) => {
    if (signal.aborted) return;
    showProgress(`the tests without mutants: ${done}/${runs.length}`);
    const problem = await runUnmutated(run, signal);
    done++;
    if (problem !== null && !signal.aborted) problems.push(`${run.file}${run.grep === undefined ? '' : ` (${run.grep})`}: ${problem}`);
  });
  showProgress('');
  if (problems.length > 0) throw new UserError(`These tests fail without any mutant; repair them first:\n${problems.join('\n')}`);
}

async function runMutants(mutations: Mutation[], signal: AbortSignal): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await inParallel(mutations, width, async (mutation) => {
    if (signal.aborted) return;
    showProgress(`${verdicts.length}/${mutations.length}  ${mutation.guard}: ${mutation.what}`);
    const verdict = await runMutant(mutation, signal);
    if (signal.aborted) return;
    verdicts.push(verdict);
    say(lineOf(mutation, verdict));
  });
  return verdicts;
}

await runCommand(async () => {
  const { list, help, words } = readArguments(process.argv.slice(2));
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const mutations = selectMutations(words);
  if (mutations.length === 0) throw new UserError(`No mutant matches "${words.join(' ')}": see npm run test:mutations -- --list.`);
  if (list) {
    console.log(tableOf(mutations).join('\n'));
    return 0;
  }
  const begun = performance.now();
  const signal = abortOnSignal();
  await checkTests(mutations, signal);
  const verdicts = signal.aborted ? [] : await runMutants(mutations, signal);
  if (signal.aborted) return INTERRUPTED;
  say(summaryOf(verdicts, (performance.now() - begun) / 1_000));
  return verdicts.every(({ verdict }) => verdict === 'killed') ? 0 : 1;
});
