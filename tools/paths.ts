import { join } from 'node:path';

/** Root of the repository. */
export const ROOT = join(import.meta.dirname, '..');

/** Everything a command writes that is neither source nor result: logs, placeholders, settings. */
export const CACHE = join(ROOT, '.cache');

/** Where the suite keeps the media of sessions, unless the environment says otherwise. */
export const MEDIA_FOLDER = join(CACHE, 'media');

/** Deployed source, built by its own package. */
export const FUNCTIONS = join(ROOT, 'functions');

/** Committed export that the suite imports; `seed/` inside it is its readable source. */
export const EMULATOR_DATA = join(ROOT, 'emulator-data');

/** A project id with this prefix tells every Firebase tool to stay away from the real services. */
export const PROJECT_ID = 'demo-jiga';

/** Node of the deploy runtime, shipped as a package. */
export const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');
