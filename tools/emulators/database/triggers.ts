/** Database triggers: which functions a write concerns, and the events that they are sent. */

import { randomUUID } from 'node:crypto';
import { DataError, messageOf } from './errors.ts';
import type { Commit } from './namespace.ts';
import { splitPath, type Path } from './path.ts';
import { legacyEvent, modernEvent, type Occurrence } from './trigger-events.ts';
import { matchPaths, matchSegment } from './trigger-paths.ts';
import { nodeAt, type DataNode } from './tree.ts';

/** Where the functions emulator listens. */
export interface FunctionsAddress {
  host: string;
  port: number;
}

/** A function that wants to know of writes. */
interface Trigger {
  /** The name by which the functions emulator knows it. */
  key: string;
  project: string;
  region: string;
  /** The databases that it watches. */
  instance: string;
  path: Path;
  event: string;
  definition: unknown;
}

/** The triggers of all databases. */
export class Triggers {
  readonly #functions: FunctionsAddress | null;
  readonly #byKey = new Map<string, Trigger>();
  readonly #stopped = new AbortController();

  constructor(functions: FunctionsAddress | null) {
    this.#functions = functions;
  }

  /** Adds a trigger as the functions emulator describes it, or replaces the one of the same name. */
  register(definition: unknown, namespace: string): void {
    const { name, path, event, namespacePattern } = (definition ?? {}) as Record<string, unknown>;
    const parts = typeof name === 'string' ? /^projects\/([^/]+)\/locations\/([^/]+)\/(?:functions|triggers)\/(.+)$/.exec(name) : null;
    const [, project, region, key] = parts ?? [];
    if (project === undefined || region === undefined || key === undefined || typeof path !== 'string' || typeof event !== 'string') {
      throw new DataError('Invalid function trigger: it needs a name, a path and an event');
    }
    const instance = typeof namespacePattern === 'string' ? namespacePattern : namespace;
    this.#byKey.set(key, { key, project, region, instance, path: splitPath(path), event, definition });
  }

  /** The triggers as they were described. */
  list(): unknown[] {
    return [...this.#byKey.values()].map((trigger) => trigger.definition);
  }

  /** Sends the events that a write gives rise to. */
  fire(commit: Commit): void {
    for (const trigger of this.#byKey.values()) {
      if (!matchSegment(trigger.instance, commit.database)) continue;
      for (const path of matchPaths(trigger.path, commit)) this.#fireAt(trigger, commit, path);
    }
  }

  /** Gives up on events that are under way. */
  stop(): void {
    this.#stopped.abort();
  }

  #fireAt(trigger: Trigger, commit: Commit, path: Path): void {
    const before = nodeAt(commit.before, path);
    const after = nodeAt(commit.after, path);
    const kind = /(?:written|write)$/.test(trigger.event) ? 'written' : kindOf(before, after);
    if (!endsWithKind(trigger.event, kind)) return;
    const occurrence: Occurrence = {
      id: randomUUID(), type: trigger.event, region: trigger.region, database: commit.database, path, before, after, who: commit.who, now: commit.now,
    };
    const modern = trigger.event.includes('.ref.v1.');
    const event = modern ? modernEvent(occurrence) : legacyEvent(occurrence);
    if (event !== null) void this.#post(trigger, event, modern ? 'application/cloudevents+json; charset=UTF-8' : 'application/json');
  }

  async #post(trigger: Trigger, event: unknown, contentType: string): Promise<void> {
    if (this.#functions === null) return;
    const { host, port } = this.#functions;
    const address = host.includes(':') ? `[${host}]` : host;
    const url = `http://${address}:${port}/functions/projects/${trigger.project}/triggers/${trigger.key}`;
    try {
      const headers = { 'content-type': contentType };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(event), signal: this.#stopped.signal });
      await response.arrayBuffer();
      if (!response.ok) console.warn(`Trigger ${trigger.key}: the functions emulator answered ${response.status}`);
    } catch (error) {
      if (!this.#stopped.signal.aborted) console.warn(`Trigger ${trigger.key}: ${messageOf(error)}`);
    }
  }
}

type Kind = 'created' | 'updated' | 'deleted' | 'written';

function kindOf(before: DataNode, after: DataNode): Kind {
  if (before.isEmpty) return 'created';
  return after.isEmpty ? 'deleted' : 'updated';
}

/** Event types end in `created` today and in `create` in the first generation. */
function endsWithKind(event: string, kind: Kind): boolean {
  const old = { created: 'create', updated: 'update', deleted: 'delete', written: 'write' }[kind];
  return event.endsWith(`.${kind}`) || event.endsWith(`.${old}`);
}
