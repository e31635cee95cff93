import type { Operation } from '../../functions/src/runtime/operation.ts';

/** Lines of README.md between which the table stands. */
export const markers = { begin: '<!-- operations: written by npm run docs -->', end: '<!-- /operations -->' };

const access: Record<Operation['access'], string> = { public: 'anybody', 'signed-in': 'signed in', admin: 'admin claim' };

/** The operations as a Markdown table: callable, route, who may call, what it does. */
export function operationsTable(operations: Operation[]): string {
  const rows = operations.map(({ name, route, access: who, summary, chunk }) =>
    `| \`${name}\`${chunk ? ' (streams)' : ''} | \`${route.method.toUpperCase()} /v1${route.path}\` | ${access[who]} | ${summary} |`);
  return ['| callable | REST route | who | what |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** A text with the table between its markers. Throws when the markers are missing. */
export function withTable(text: string, table: string): string {
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin < 0 || end < begin) throw new Error('the markers of the operations table are missing');
  return `${text.slice(0, begin)}${markers.begin}\n${table}\n${text.slice(end)}`;
}
