import { AppError } from '../runtime/errors.ts';
import { log } from '../runtime/log.ts';
import { after, now } from '../runtime/system.ts';
import type { Breakers } from './breakers.ts';
import { notConfigured, timedOut, vendorDown } from './failures.ts';
import { remedyFor, withRetries } from './retry.ts';
import type { ModelEvent, ModelProvider, ModelRequest, ModelTarget } from './types.ts';

/** What asking several models in turn is given from outside. */
export interface ResilienceDeps<Target extends ModelTarget = ModelTarget> {
  load: (target: Target) => Promise<ModelProvider>;
  /** Shared by all requests of the process. */
  breakers: Breakers;
  /** Failures in a row after which a model rests. */
  failuresToRest?: number | undefined;
  /** ms since the epoch: nothing is begun after it. The request's signal should end then, too. */
  deadlineAt: number;
}

/** `provider/model` */
export function targetKey({ provider, model }: ModelTarget): string {
  return `${provider}/${model}`;
}

/**
 * One turn's model: the first target that answers, in the order given. As long as nothing of a reply has come, a failure
 * that may pass is tried again and then the next target steps in, which is told by a `degraded` event before its reply.
 * Later calls of the same turn (function results) stay with the target that answered. `request.model` is replaced.
 * @param targets Names of the providers that really answer (on emulators `offline`, see providerSettings): the first is `name`.
 * @throws AppError failed-precondition (provider_configuration) without targets. `generate` throws as the targets do:
 *   the last failure that may pass when there is one, since trying again helps with that one, else that of the first.
 */
export function resilientProvider<Target extends ModelTarget>(targets: readonly Target[], deps: ResilienceDeps<Target>): ModelProvider {
  const [first] = targets;
  if (!first) throw notConfigured('No model is configured. Set config/server.modelRouting.');
  let current = 0;
  return {
    name: first.provider,
    async *generate(request) {
      const start = current;
      const failures: AppError[] = [];
      for (const [index, target] of targets.entries()) {
        if (index < start || (failures.length > 0 && now() >= deps.deadlineAt)) continue;
        const reply = await open(target, request, deps, index + 1 < targets.length).catch((error: unknown) => asFailure(error, target, request, failures.length > 0));
        if (reply instanceof AppError) {
          failures.push(reply);
          continue;
        }
        current = index;
        yield* passOn(reply, degradation(targets[start]!, target, failures[0]));
        return;
      }
      throw failures.findLast(({ code }) => code === 'unavailable' || code === 'deadline-exceeded') ?? failures[0]!;
    },
  };
}

/** A reply whose first event has come. */
interface Reply {
  events: AsyncIterator<ModelEvent>;
  first: IteratorResult<ModelEvent>;
}

async function open<Target extends ModelTarget>(target: Target, request: ModelRequest, { load, breakers, failuresToRest, deadlineAt }: ResilienceDeps<Target>, replaceable: boolean): Promise<Reply> {
  const provider = await load(target);
  return withRetries(async () => {
    // Half of the time is left to a model that can step in.
    const patience = new AbortController();
    const cancel = replaceable ? after((deadlineAt - now()) / 2, () => patience.abort(timedOut(provider.name))) : () => undefined;
    try {
      const events = provider.generate({ ...request, model: target.model, ...(target.setting === undefined ? {} : { setting: target.setting }), signal: AbortSignal.any([request.signal, patience.signal]) })[Symbol.asyncIterator]();
      const first = await events.next();
      if (first.done) throw vendorDown(provider.name);
      return { events, first };
    } finally {
      cancel();
    }
  }, { signal: request.signal, deadlineAt, key: targetKey(target), breakers, failuresToRest, replaceable });
}

/**
 * The failure, for another target to step in; thrown when none can help. A model that only steps in may be unable to
 * take what the first one takes, such as sound: that says nothing about the request.
 */
function asFailure(error: unknown, target: ModelTarget, { signal }: ModelRequest, stepsIn: boolean): AppError {
  if (!(error instanceof AppError) || (remedyFor(error, signal) === 'none' && !(stepsIn && !signal.aborted))) throw error;
  log.warn('model failed', { model: targetKey(target), reason: error.details?.reason, problem: error.message });
  return error;
}

function degradation(from: ModelTarget, to: ModelTarget, failure: AppError | undefined): ModelEvent[] {
  if (!failure) return [];
  // A copy: what else a target carries, such as its key, must not be shown.
  const answeredBy = { provider: to.provider, model: to.model };
  return [{ type: 'degraded', degradation: { what: 'model', from: targetKey(from), to: targetKey(to), because: failure.details?.reason ?? 'provider_unavailable' }, answeredBy }];
}

/** The reply as it comes. Leaving it early closes the vendor's. */
async function* passOn({ events, first }: Reply, before: ModelEvent[]): AsyncGenerator<ModelEvent, void> {
  try {
    yield* before;
    for (let next = first; !next.done; next = await events.next()) yield next.value;
  } finally {
    await events.return?.();
  }
}
