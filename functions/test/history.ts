import type { SaidRecord } from '../src/live/requests.ts';

/** The record of a turn in which somebody said something, and was answered in full. */
export function saidRecord(parts: Partial<SaidRecord> & Pick<SaidRecord, 'turnId' | 'saidAt'>): SaidRecord {
  const { turnId, saidAt } = parts;
  return {
    hash: 'h', state: 'done', expiresAt: saidAt, input: '{}', model: 'm', cost: 2, consumed: 2, outcome: 'complete', said: `What about ${turnId}?`, reply: `This is ${turnId}.`, ...parts,
  };
}
