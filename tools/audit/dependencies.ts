/** What npm knows of a package's dependencies. */
export interface DependencyReport {
  /** Lines for people. */
  lines: string[];
  /** Whether something is known that has to be mended before a deployment. */
  serious: boolean;
}

const serious = ['high', 'critical'];

/**
 * Reads what `npm audit --json` has printed.
 * @returns null when the audit service did not answer, as behind a mirror that has none.
 */
export function readAudit(output: string): DependencyReport | null {
  const { vulnerabilities } = parse(output);
  if (vulnerabilities === undefined) return null;
  const found = Object.values(vulnerabilities);
  return { lines: found.map(({ name, severity, range }) => `${severity} ${name} ${range}`).sort(), serious: found.some(({ severity }) => serious.includes(severity)) };
}

interface Audit { vulnerabilities?: Record<string, { name: string; severity: string; range: string }> }

function parse(output: string): Audit {
  try {
    return JSON.parse(output) as Audit;
  } catch {
    return {};
  }
}
