import { z } from 'zod';
import { mostMemoryCharacters, plainText } from '../memory/memory.ts';
import type { ToolCall, ToolDeclaration } from '../providers/types.ts';
import { toAppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import { lookUp, type Guide } from './guide.ts';

/** Most characters of a result, as JSON. */
export const maxResultCharacters = 2_000;

/** Everything that a function call can reach. Whose memory and objective these are, they know by themselves: no argument of a call says so. */
export interface ToolPorts {
  /** Names of the tools that the model was offered. */
  offered: readonly string[];
  remember(fact: string): Promise<'remembered' | 'known' | 'full'>;
  recall(query: string): Promise<string[]>;
  setObjective(objective: string): Promise<void>;
  guide: Guide;
}

type Result = Record<string, unknown>;

interface Tool {
  needsMemory: boolean;
  declaration: ToolDeclaration;
  /** Checks the arguments and acts on them. Throws ZodError, and what the port throws. */
  run(args: unknown, ports: ToolPorts, mostCharacters: number): Promise<Result>;
}

/** An argument: text that a model has written, made plain. */
function text(most: number, meaning: string): z.ZodType<string, string> {
  return z.string().min(1).max(most).describe(meaning).transform((raw) => plainText(raw, most)).refine((plain) => plain !== '', 'has nothing in it that can be seen');
}

function tool<Shape extends z.ZodRawShape>(
  name: string, description: string, shape: Shape,
  run: (args: z.output<z.ZodObject<Shape, z.core.$strict>>, ports: ToolPorts, mostCharacters: number) => Promise<Result>,
  needsMemory = false,
): [string, Tool] {
  const input = z.strictObject(shape);
  const { $schema: _, ...parameters } = z.toJSONSchema(input, { io: 'input' });
  return [name, { needsMemory, declaration: { name, description, parameters }, run: (args, ports, mostCharacters) => run(input.parse(args), ports, mostCharacters) }];
}

const tools = new Map<string, Tool>([
  tool('rememberFact', 'Keeps one fact about the player or the game for later sessions. Only for what stays true.', { fact: text(mostMemoryCharacters, 'The fact, as a sentence that stands by itself.') }, async ({ fact }, ports) => {
    const status = await ports.remember(fact);
    return status === 'full' ? { status, note: 'Nothing more can be remembered until the player deletes memories.' } : { status };
  }, true),
  tool('recallMemory', 'Finds what you remember about something from earlier sessions.', { query: text(300, 'What it is about.') }, async ({ query }, ports, most) => (
    fitting('memories', (await ports.recall(query)).map((memory) => plainText(memory, mostMemoryCharacters)), most)
  ), true),
  tool('setObjective', 'Sets what the player is trying to achieve now. It replaces the objective before.', { objective: text(200, 'The objective in a few words.') }, async ({ objective }, ports) => {
    await ports.setObjective(objective);
    return { status: 'set' };
  }),
  tool('lookUpGuide', 'Looks something up in the guide to the games that you specialise in.', { topic: text(200, 'Words that the passage should contain.') }, ({ topic }, { guide }, most) => Promise.resolve(
    guide === null ? { passages: [], note: 'You have no guide.' } : fitting('passages', lookUp(guide, topic), most),
  )),
]);

/** The functions that the model of a session may call: those that its product names and that exist, memory only where the agent has one. */
export function toolsOf({ toolkit, hasMemory }: Pick<SessionConfig, 'toolkit' | 'hasMemory'>): ToolDeclaration[] {
  return [...tools.values()].filter(({ needsMemory, declaration: { name } }) => toolkit.includes(name) && (hasMemory || !needsMemory)).map(({ declaration }) => declaration);
}

/**
 * Carries out a function call of a model. Nothing of the call is trusted: the name must be one that was offered, the
 * arguments exactly those of the tool. Never throws: what is wrong with a call is its result, and says so without
 * repeating anything of it. Texts that are found are kept to `mostCharacters` as JSON; every other result is short.
 */
export async function callTool({ name, args }: Pick<ToolCall, 'name' | 'args'>, ports: ToolPorts, mostCharacters = maxResultCharacters): Promise<Result> {
  const called = ports.offered.includes(name) ? tools.get(name) : undefined;
  if (!called) return { error: ports.offered.length === 0 ? 'You have no tools.' : `You have no such tool. You have: ${ports.offered.join(', ')}.` };
  try {
    return await called.run(args, ports, mostCharacters);
  } catch (error) {
    if (error instanceof z.ZodError) return { error: problemOf(error) };
    log.warn('tool failed', { tool: name, reason: toAppError(error).details?.reason });
    return { error: 'not available right now' };
  }
}

/** The first problem of the arguments, in words that contain nothing of them. */
function problemOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') return 'There is an argument that this tool does not take.';
  return issue === undefined || issue.path.length === 0 ? 'The arguments are not a JSON object.' : `${issue.path.join('.')}: ${issue.message}.`;
}

/** As many of the texts, best first, as fit into a result of `most` characters. */
function fitting(name: string, texts: string[], most: number): Result {
  const kept: string[] = [];
  for (const each of texts) if (JSON.stringify({ [name]: [...kept, each] }).length <= most) kept.push(each);
  return { [name]: kept };
}
