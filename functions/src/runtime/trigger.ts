import { describeError } from './errors.ts';
import { lines } from './lines.ts';
import { logAbout, type Subject } from './log.ts';

/** A trigger that has failed. The platform prints it and repeats the trigger, so it says nothing but where to look. */
class TriggerFailed extends Error {}

/**
 * Runs a trigger: its entries say what it is about, and a failure is logged without what may be somebody's. The platform
 * would print the error itself, whose text may name an account.
 * @throws TriggerFailed for whatever was thrown, so that the trigger is repeated.
 */
export async function runTrigger(trigger: string, about: Subject, act: () => Promise<unknown>): Promise<void> {
  await logAbout(about, async () => {
    try {
      await act();
    } catch (error) {
      lines.triggerFailed.write({ trigger, error: describeError(error) }, 'ERROR');
      throw new TriggerFailed(`${trigger} failed: see the entry "${lines.triggerFailed.message}"`);
    }
  });
}
