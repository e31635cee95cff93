import { existsSync, readFileSync } from 'node:fs';
import type { Message } from '@google-cloud/pubsub';
import type { operations } from '../../src/operations.ts';
import { operations as all } from '../../src/operations.ts';
import type { Operation } from '../../src/runtime/operation.ts';
import type { Instance } from '../deployed.ts';
import { dumpDatabase, dumpFirestore } from '../evidence.ts';
import { overRest } from '../fuzz/wire.ts';
import { formsIn } from '../leaks.ts';
import { sendRaw } from '../raw-http.ts';

type Name = keyof typeof operations;

/** An answer of the REST API: its reason where it is an error, or ends as one. */
export interface Told {
  status: number;
  reason: string | undefined;
  text: string;
  /** The result of a call that went well. */
  result: Record<string, string>;
}

/** A place that was searched, and what stands there. */
export interface Place {
  name: string;
  text: string;
}

/** Something that must be in no place, but where `mayBe` says so. */
export interface Planted {
  what: string;
  text: string;
  mayBe?: (place: string) => boolean;
}

/** Everything that a test gets to see of the service, and what must not be in it. */
export class Canary {
  readonly planted: Planted[] = [];
  readonly answers: Place[] = [];
  readonly messages: Message[] = [];
  readonly instances: Instance[] = [];
  /** The reasons that each operation has answered with. */
  readonly reasons = new Map<string, Set<string>>();

  /** Calls an operation over REST as whoever has this token; null: nobody. */
  async ask(instance: Instance, name: Name, input: object, idToken: string | null, headers: Record<string, string> = {}): Promise<Told> {
    const op: Operation = all[name];
    const sent = overRest(op, JSON.stringify(input), { ...(idToken === null ? {} : { authorization: `Bearer ${idToken}` }), ...headers });
    const { status, headers: given, bytes } = await sendRaw(instance, sent);
    const text = bytes.toString();
    const error = /"error":(\{.*\})\}/.exec(text)?.[1];
    const reason = error === undefined ? undefined : (JSON.parse(error) as { details?: { reason?: string } }).details?.reason;
    if (reason !== undefined) this.reasons.set(name, (this.reasons.get(name) ?? new Set()).add(reason));
    this.answers.push({ name: `answer ${reason ?? 'ok'} of ${name}`, text: `${JSON.stringify(given)} ${text}` });
    return { status, reason, text, result: status === 200 && reason === undefined && text.startsWith('{') ? JSON.parse(text) as Record<string, string> : {} };
  }

  /** Every place there is, as it is now. */
  async places(): Promise<Place[]> {
    const log = process.env['JIGA_EMULATOR_LOG'];
    return [
      ...this.answers,
      ...(await dumpFirestore()).map((document) => ({ name: `document ${document.slice(0, document.indexOf(' '))}`, text: document })),
      { name: 'Realtime Database', text: await dumpDatabase() },
      ...this.messages.map(({ data, attributes }) => ({ name: `event ${attributes['eventId']}`, text: `${data.toString()} ${JSON.stringify(attributes)}` })),
      ...this.instances.map(({ target, output }, index) => ({ name: `log ${index} of ${target}`, text: output() })),
      ...(log !== undefined && existsSync(log) ? [{ name: 'log of the suite', text: readFileSync(log, 'utf8') }] : []),
    ];
  }

  /** What was found, and where. */
  leaks(places: Place[]): string[] {
    return places.flatMap(({ name, text }) => this.planted.flatMap(({ what, text: secret, mayBe }) => (mayBe?.(name) !== true && formsIn(text, secret).length > 0 ? [`${what} in ${name}`] : [])));
  }
}
