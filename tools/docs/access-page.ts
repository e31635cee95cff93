import type { operations } from '../../functions/src/operations.ts';
import { codeOf, nobody, people, targets, type Form, type Rule, type Target } from '../../functions/test/access-rules.ts';

/** A way to call an operation, as access.ts lists them. */
interface Called {
  name: keyof typeof operations;
  form: Form;
}

const head = `# Who may do what

Written by \`npm run docs\` from \`functions/test/access.ts\`, where every operation has its row or the code does not compile. Every cell is tried over HTTP, as a callable and as a REST route, on the built functions with tokens that are verified as they are deployed (\`functions/test/access.emulator.test.ts\`): both ways answer alike, and a call that is refused, or only answers, leaves every document as it was.

- \`ok\`: answered, and nothing changes. **acts**: carried out. Anything else is the \`reason\` of the refusal.
- **own** is what belongs to the owner, **ended** a session of the owner that is over (of a hold: one that is resolved), **foreign** what belongs to somebody who is none of these people, **missing** what does not exist. Where foreign and missing have no line, they are \`not_found\` for everybody. Whoever is not to know that something is there gets the same bytes as for something that is not.
- **removed** was a member of the session, **other** never was. **admin** has the claim and no part in the session.
- Without a token everything is \`signed_out\`, but for \`getServerStatus\`. So is a token that has expired, is of another project, is not signed, or whose signature is not that of its content, for \`getServerStatus\` too.
- A token that was revoked is good until it expires, an hour at most, because a look-up with each frame would cost more than it protects. Tokens of administrators are looked up with each call: one that was revoked, or whose account was disabled or deleted, is \`signed_out\` at once. Who takes the claim \`admin\` from somebody revokes the tokens too.
`;

/** The page about who may do what. */
export function accessPage(forms: Called[]): string {
  const lines = forms.flatMap(({ name, form }) => linesOf(form).map(([about, rule]) => `| ${[`\`${name}\`${form.as ? ` ${form.as}` : ''}`, about, ...people.map((person) => shown(rule[person]))].join(' | ')} |`));
  const codes = [...new Set(Object.values(codeOf))].map((code) => `\`${code}\` for ${Object.entries(codeOf).flatMap(([reason, of]) => (of === code ? [`\`${reason}\``] : [])).join(', ')}`);
  return `${head}- The code is ${codes.join('; ')}.\n\n| operation | about | ${people.join(' | ')} |\n| ${Array<string>(people.length + 2).fill('---').join(' | ')} |\n${lines.join('\n')}\n`;
}

/** The targets of a form by their rules: those with the same one share a line. */
function linesOf({ cells }: Form): [about: string, rule: Rule][] {
  const lines = new Map<string, [Target[], Rule]>();
  for (const target of targets) {
    const rule = cells[target];
    if (typeof rule === 'string' || (isHidden(rule) && (target === 'foreign' || target === 'missing'))) continue;
    const key = JSON.stringify(rule);
    lines.set(key, [[...lines.get(key)?.[0] ?? [], target], rule]);
  }
  const named = targets.some((target) => target !== 'own' && typeof cells[target] !== 'string');
  return [...lines.values()].map(([about, rule]) => [named ? about.join(', ') : '', rule]);
}

const isHidden = (rule: Rule): boolean => people.every((person) => rule[person] === nobody[person]);

function shown(outcome: Rule[keyof Rule]): string {
  return outcome === 'done' ? '**acts**' : outcome === 'ok' ? 'ok' : `\`${outcome}\``;
}
