import { HttpsError, onCall, type CallableFunction, type CallableOptions } from 'firebase-functions/https';
import type { z } from 'zod';
import { admit, callerOfVisit } from './admission.ts';
import type { Caller } from './caller.ts';
import { AppError, describeError, toAppError } from './errors.ts';
import { lines } from './lines.ts';
import { logAbout, userTag, type Subject } from './log.ts';
import { browserOrigins } from './params.ts';
import { letGoOfBody } from './read-body.ts';
import { idSchema } from './schema.ts';

/** Who may call: anybody, anybody signed in, or holders of the `admin` claim. */
export type Access = 'public' | 'signed-in' | 'admin';

/** Where the REST API offers an operation. Path parameters in braces are input fields. */
export interface Route {
  method: 'get' | 'post' | 'patch' | 'delete';
  path: string;
}

/** The addresses of a route in the REST API. */
export function addressOf({ path }: Route): RegExp {
  return new RegExp(`^/v1${path.replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** What an operation's handler gets beside its input. */
export interface CallContext {
  caller: Caller;
  /** Sends one piece of a streamed answer; a no-op when the caller did not ask for streaming. */
  emit: (chunk: unknown) => void;
  /** Resolves when the connection has room for more: a long answer waits for it, so as not to pile up in memory. Absent where nothing is streamed. */
  taken?: () => Promise<void>;
  /** Aborted when the caller disconnects. */
  signal: AbortSignal;
  /** Forgets what was sent: for operations of large bodies, once they have taken out of their input what they need. The input is theirs to empty. */
  letGo?: () => void;
}

/** An answer that the REST API gives as a file. Its pieces are the `text` of the chunks that the handler emits. */
export interface Download {
  /** Every content type that it can have. */
  contentTypes: readonly string[];
  /** What the file is, by the input as the operation's schema has parsed it. */
  file(input: never): { contentType: string; fileName: string };
}

/** One operation, reached as a callable and as a REST route alike. */
export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  name: string;
  summary: string;
  access: Access;
  route: Route;
  input: Input;
  output: Output;
  /** Schema of the streamed chunks, where the operation streams. */
  chunk?: z.ZodType;
  /** Makes the REST route answer with a file instead of JSON. */
  download?: Download;
  /** Makes the REST route answer with a redirect to this address instead of JSON. */
  redirect?(output: z.output<Output>): string;
  /** Whether a call uses up the App Check token that it comes with, where App Check is enforced: it cannot be repeated by others. */
  replayProtected?: boolean;
  /** Most bytes of the body of a call; absent: enough for ids and a few texts. */
  maxBodyBytes?: number;
  options?: CallableOptions;
  handle(input: z.output<Input>, context: CallContext): Promise<z.input<Output>>;
}

/** What carries a call: how pieces of the answer are sent, and what it has to pass before anything of it is looked at. */
export interface Carrier extends Pick<CallContext, 'emit' | 'taken' | 'signal' | 'letGo'> {
  admit?: (caller: Caller | null) => Promise<void>;
}

/** Declares an operation with its types inferred from its schemas. */
export function operation<Input extends z.ZodType, Output extends z.ZodType>(definition: Operation<Input, Output>): Operation<Input, Output> {
  return definition;
}

/** Most characters of what an answer says of one problem of the input. */
const mostCharacters = 150;
const nobody: Caller = { uid: '', email: null, emailVerified: false, admin: false };

/** Who calls, or how to find that out. */
export type Calling = Caller | null | (() => Promise<Caller | null>);

/**
 * Runs an operation: caller, admission, access, input, handler, output. Unknown output fields are dropped by the output schema,
 * so nothing leaves that the contract does not name.
 * @throws AppError for everything that goes wrong; unexpected errors are logged and answered as `internal`.
 */
export async function runOperation(
  op: Operation,
  raw: unknown,
  calling: Calling,
  { admit: enter, letGo, ...stream }: Carrier,
): Promise<unknown> {
  const startedAt = Date.now();
  const refuse = (error: unknown): never => {
    const appError = toAppError(error);
    logRefusal({ operation: op.name, outcome: appError.code, reason: appError.details?.reason, durationMs: Date.now() - startedAt }, appError, error);
    throw appError;
  };
  return logAbout(idsOf(raw), async () => {
    const caller = typeof calling === 'function' ? await calling().catch(refuse) : calling;
    return logAbout(caller ? { user: userTag(caller.uid) } : {}, async () => {
      try {
        await enter?.(caller);
        authorize(op, caller);
        const output = op.output.parse(await op.handle(parseInput(op.input, raw), { caller: caller ?? nobody, letGo: () => { empty(raw); letGo?.(); }, ...stream }));
        lines.operation.write({ operation: op.name, outcome: 'ok', durationMs: Date.now() - startedAt });
        return output;
      } catch (error) {
        return refuse(error);
      }
    });
  });
}

/** A call that waits keeps all that it was given: whatever is to be forgotten meanwhile has to go out of it. */
function empty(raw: unknown): void {
  if (typeof raw !== 'object' || raw === null) return;
  for (const name of Object.keys(raw)) Reflect.deleteProperty(raw, name);
}

/** Our own faults are errors, a vendor's and the configuration's are warnings with their safe message, the caller's are information. */
function logRefusal(entry: Parameters<typeof lines.operation.write>[0], { code, message, details, cause }: AppError, error: unknown): void {
  const ours = code === 'unavailable' || code === 'deadline-exceeded' || details?.reason === 'provider_configuration';
  if (code === 'internal') lines.operation.write({ ...entry, error: describeError(error) }, 'ERROR');
  else if (ours) lines.operation.write({ ...entry, because: message, ...(details?.reason === 'not_ready' && cause !== undefined ? { error: describeError(cause) } : {}) }, 'WARNING');
  else lines.operation.write(entry);
}

/** The operation as a Firebase callable, streaming included. */
export function callable(op: Operation): CallableFunction<unknown, Promise<unknown>> {
  return withOwnTokens(onCall({ cors: browserOrigins(), ...op.options }, async (request, response) => {
    const enter = (uid: string | null): Promise<void> => admit({ uid, request: request.rawRequest, appVerified: request.app !== undefined, once: op.replayProtected === true });
    let sent: Promise<unknown> = Promise.resolve();
    try {
      return await runOperation(op, request.data, () => callerOfVisit(authorizations.get(request.rawRequest), () => enter(null)), {
        emit: (chunk) => { sent = response?.sendChunk(chunk).catch(() => undefined) ?? sent; },
        taken: async () => void await sent,
        signal: response?.signal ?? new AbortController().signal,
        admit: (caller) => enter(caller?.uid ?? null),
        letGo: () => letGoOfBody(request.rawRequest),
      });
    } catch (error) {
      const { code, message, details } = toAppError(error);
      throw new HttpsError(code, message, details);
    }
  }));
}

/** What stood in the header `Authorization` of the calls that are being answered. */
const authorizations = new WeakMap<object, string>();

/**
 * Keeps the header `Authorization` from the SDK, which would answer a token that is not valid by itself: uncounted, without
 * a reason, and just so when it is Google's keys that cannot be had. Callables and REST routes tell who calls in one way.
 */
function withOwnTokens(call: CallableFunction<unknown, Promise<unknown>>): CallableFunction<unknown, Promise<unknown>> {
  return new Proxy(call, { apply(target, itself, given: Parameters<typeof call>) {
    const [request] = given;
    const { authorization } = request.headers;
    if (authorization !== undefined) authorizations.set(request, authorization);
    delete request.headers.authorization;
    return Reflect.apply<unknown, typeof given, void | Promise<void>>(target, itself, given);
  } });
}

function authorize(op: Operation, caller: Caller | null): void {
  if (op.access === 'public') return;
  if (caller === null) throw new AppError('unauthenticated', 'Sign in first.', { reason: 'signed_out' });
  if (op.access === 'admin' && !caller.admin) throw new AppError('permission-denied', 'This needs an administrator.', { reason: 'not_admin' });
}

function parseInput<Input extends z.ZodType>(schema: Input, raw: unknown): z.output<Input> {
  const parsed = schema.safeParse(withoutNulls(schema, raw ?? {}));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 10).map((issue) => ({ path: issue.path.join('.'), message: short(issue.message) }));
  const first = issues[0];
  throw new AppError('invalid-argument', `The input is not valid: ${first?.path || 'input'}: ${first?.message ?? 'wrong shape'}.`, { reason: 'bad_input', issues });
}

/** Names of unknown keys are part of a message, however long and many they are. */
function short(message: string): string {
  return message.length > mostCharacters ? `${message.slice(0, mostCharacters)}…` : message;
}

/** The client SDK sends `undefined` as null: a null that a field does not take stands for one that was left out. */
function withoutNulls(schema: z.ZodType, raw: unknown): unknown {
  const { shape } = schema as { shape?: Record<string, z.ZodType> };
  // An object of another kind, such as one whose prototype came with the input, is left for the schema to refuse.
  if (shape === undefined || typeof raw !== 'object' || raw === null || Object.getPrototypeOf(raw) !== Object.prototype) return raw;
  const takesNull = (name: string): boolean => !Object.hasOwn(shape, name) || shape[name]!.safeParse(null).success;
  return Object.fromEntries(Object.entries(raw).filter(([name, value]) => value !== null || takesNull(name)));
}

/** Ids of the input that an operator looks things up by; anything else in the input stays out of the log. */
function idsOf(raw: unknown): Subject {
  const fields = typeof raw === 'object' && raw !== null ? raw as Record<string, unknown> : {};
  return Object.fromEntries(['sessionId', 'agentInstanceId', 'requestId'].flatMap((name) => {
    const id = idSchema.safeParse(fields[name]);
    return id.success ? [[name, id.data]] : [];
  }));
}
