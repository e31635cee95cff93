import { spawnSync } from 'node:child_process';
import { readAudit } from '../audit/dependencies.ts';
import { runCommand } from '../errors.ts';
import { FUNCTIONS, ROOT } from '../paths.ts';

/** What is deployed decides; what it is built and tested with is only told. */
const audits = [
  { what: 'dependencies of the functions', folder: FUNCTIONS, args: ['--omit=dev'], decides: true },
  { what: 'development dependencies of the functions', folder: FUNCTIONS, args: [], decides: false },
  { what: 'tools', folder: ROOT, args: [], decides: false },
];

// Asks npm for what is known of the dependencies. Exit code 1: something serious is deployed.
await runCommand(() => {
  let mend = false;
  for (const { what, folder, args, decides } of audits) {
    const { stdout } = spawnSync('npm', ['audit', '--json', '--loglevel=error', ...args], { cwd: folder, encoding: 'utf8' });
    const report = readAudit(stdout);
    console.log(report ? `${what}: ${report.lines.length} known` : `${what}: not audited, npm's audit service cannot be reached from here`);
    for (const line of report?.lines ?? []) console.log(`  ${line}`);
    mend ||= decides && report?.serious === true;
  }
  return Promise.resolve(mend ? 1 : 0);
});
