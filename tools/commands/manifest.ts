import { writeFileSync } from 'node:fs';
import { currentManifest, formatManifest, reviewedFile } from '../../functions/test/manifest.ts';
import { runCommand } from '../errors.ts';

// Writes down what is deployed; a test compares it with the source, so that every change of it is seen in review.
await runCommand(async () => {
  writeFileSync(reviewedFile, formatManifest(await currentManifest()));
  return 0;
});
