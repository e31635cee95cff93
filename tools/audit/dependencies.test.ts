import assert from 'node:assert/strict';
import { readAudit } from './dependencies.ts';

const audit = (...severities: string[]): string => JSON.stringify({ vulnerabilities: Object.fromEntries(severities.map((severity, index) => [`p${index}`, { name: `p${index}`, severity, range: '<1.0.0' }])) });

describe('what npm knows of dependencies', () => {
  it('is nothing, or a line for each', () => {
    assert.deepEqual(readAudit(audit()), { lines: [], serious: false });
    assert.deepEqual(readAudit(audit('moderate', 'low')), { lines: ['low p1 <1.0.0', 'moderate p0 <1.0.0'], serious: false });
  });

  it('is serious from "high" on', () => {
    for (const severity of ['high', 'critical']) assert.equal(readAudit(audit('low', severity))?.serious, true);
  });

  it('is not known where the service does not answer', () => {
    for (const output of ['', 'npm error', '{"message":"405 Method Not Allowed","error":{}}']) assert.equal(readAudit(output), null);
  });
});
