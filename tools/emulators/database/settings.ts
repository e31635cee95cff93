/** What the emulator suite itself asks of the server: rules, triggers and the list of databases. */

import type { Databases } from './databases.ts';
import { DataError } from './errors.ts';

/** A request for one of the administrative addresses. */
export interface SettingsRequest {
  method: string;
  address: string;
  database: string;
  body: string;
  /** Give rules as plain JSON, without comments. */
  strict: boolean;
}

const OK = '{"status":"ok"}';

/** Does the address belong to the emulator suite rather than to the data? */
export function isSettingsAddress(address: string): boolean {
  return address.startsWith('/.settings/') || address.startsWith('/.inspect/');
}

/** Answers with JSON text; null when there is nothing at the address. */
export function answerSettings(databases: Databases, request: SettingsRequest): string | null {
  const { method, body } = request;
  switch (`${method} ${request.address}`) {
    case 'GET /.settings/rules.json':
      return request.strict ? databases.get(request.database).rules.json : databases.get(request.database).rules.source;
    case 'PUT /.settings/rules.json':
      databases.get(request.database).setRules(body);
      return OK;
    case 'GET /.settings/functionTriggers.json':
      return JSON.stringify(databases.triggers.list());
    case 'POST /.settings/functionTriggers.json':
    case 'PUT /.settings/functionTriggers.json':
      for (const definition of parseList(body)) databases.triggers.register(definition, request.database);
      return OK;
    case 'GET /.inspect/coverage.json':
      return databases.get(request.database).rules.coverage.json;
    case 'GET /.inspect/databases.json':
      return JSON.stringify(databases.names().map((name) => ({ name })));
    default:
      return null;
  }
}

function parseList(body: string): unknown[] {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value as unknown[] : [value];
  } catch {
    throw new DataError('Invalid data; couldn\'t parse JSON object or array');
  }
}
