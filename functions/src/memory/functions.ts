import { parseCursor, toCursor } from '../runtime/cursor.ts';
import { operation } from '../runtime/operation.ts';
import { toMemoryView } from './memory.ts';
import { deleteAllMemoriesInput, deleteAllMemoriesOutput, deleteMemoryInput, deleteMemoryOutput, listMemoriesInput, listMemoriesOutput } from './schema.ts';
import { deleteAllMemories as deleteAll, deleteMemory as deleteOne, listMemories as list } from './store.ts';

export const listMemories = operation({
  name: 'listMemories',
  summary: 'What an owned agent remembers, newest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/agents/{agentInstanceId}/memories' },
  input: listMemoriesInput,
  output: listMemoriesOutput,
  async handle({ agentInstanceId, limit, cursor }, { caller }) {
    const found = await list({ uid: caller.uid, agentInstanceId }, limit + 1, cursor === undefined ? null : parseCursor(cursor));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      memories: page.map(toMemoryView),
      nextCursor: found.length > limit && last ? toCursor({ order: last.createdAt.toMillis(), id: last.memoryId }) : null,
    };
  },
});

export const deleteMemory = operation({
  name: 'deleteMemory',
  summary: 'Makes an owned agent forget one thing. Repeating it changes nothing.',
  access: 'signed-in',
  route: { method: 'delete', path: '/agents/{agentInstanceId}/memories/{memoryId}' },
  input: deleteMemoryInput,
  output: deleteMemoryOutput,
  async handle({ agentInstanceId, memoryId }, { caller }) {
    await deleteOne({ uid: caller.uid, agentInstanceId }, memoryId);
    return { memoryId };
  },
});

export const deleteAllMemories = operation({
  name: 'deleteAllMemories',
  summary: 'Makes an owned agent forget everything.',
  access: 'signed-in',
  route: { method: 'delete', path: '/agents/{agentInstanceId}/memories' },
  input: deleteAllMemoriesInput,
  output: deleteAllMemoriesOutput,
  async handle({ agentInstanceId }, { caller }) {
    return { deleted: await deleteAll({ uid: caller.uid, agentInstanceId }) };
  },
});
