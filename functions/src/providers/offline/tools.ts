import type { ModelRequest, ToolCall } from '../types.ts';

/** Words of an instruction, the tool that they ask for, and the argument that takes what follows them. */
const habits = [
  { words: /\bremember that\s(.+)/is, name: 'rememberFact', argument: 'fact' },
  { words: /\b(?:what do you remember about|recall)\s(.+)/is, name: 'recallMemory', argument: 'query' },
  { words: /\b(?:my objective is|set objective)\s(.+)/is, name: 'setObjective', argument: 'objective' },
  { words: /\b(?:guide|look up|how do i)\s(.+)/is, name: 'lookUpGuide', argument: 'topic' },
];

/** The tool call that an instruction asks for, if the tool is offered and no call has been made in this turn. */
export function wantedCall({ instruction = '', tools = [], rounds = [] }: ModelRequest): ToolCall | null {
  if (rounds.length > 0) return null;
  for (const { words, name, argument } of habits) {
    const said = words.exec(instruction)?.[1]?.trim().replace(/[.?!]$/, '');
    if (said && tools.some((tool) => tool.name === name)) return { id: 'offline-1', name, args: { [argument]: said } };
  }
  return null;
}
