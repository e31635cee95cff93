import assert from 'node:assert/strict';
import { renameAgentInput } from './schema.ts';

const accepts = (value: unknown): boolean => renameAgentInput.safeParse(value).success;

describe('renameAgent input', () => {
  it('takes a nickname without the blanks around it, or null to go back', () => {
    assert.deepEqual(renameAgentInput.parse({ agentInstanceId: 'a1', customName: '  Scout ' }), { agentInstanceId: 'a1', customName: 'Scout' });
    assert.ok(accepts({ agentInstanceId: 'a1', customName: null }));
  });

  it('refuses an empty or a very long name, and none at all', () => {
    for (const customName of ['', '   ', 'x'.repeat(41), 7, undefined]) assert.ok(!accepts({ agentInstanceId: 'a1', customName }));
    assert.ok(accepts({ agentInstanceId: 'a1', customName: 'x'.repeat(40) }));
  });

  it('refuses unknown keys: no balance travels with a name', () => {
    for (const extra of [{ currentDOFs: 1e9 }, { ownerId: 'u2' }, { uid: 'u2' }]) assert.ok(!accepts({ agentInstanceId: 'a1', customName: 'x', ...extra }));
  });

  it('refuses ids that could point elsewhere', () => {
    for (const agentInstanceId of ['', 'a/grants/g', '../u2', '.', 'x'.repeat(65), null, {}]) assert.ok(!accepts({ agentInstanceId, customName: 'x' }));
  });
});
