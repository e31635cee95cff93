/** A problem the user can solve: its message is one line that says what is wrong and what to do. */
export class UserError extends Error {}

/**
 * Runs a command's body and turns its outcome into an exit code. A {@link UserError} prints its
 * message alone; anything else is a defect and keeps its stack trace.
 */
export async function runCommand(body: () => Promise<number>): Promise<void> {
  // A closed terminal takes the output away, not the duty to clean up.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    process.exitCode = await body();
  } catch (error) {
    console.error(error instanceof UserError ? error.message : error);
    process.exitCode = 1;
  }
}
