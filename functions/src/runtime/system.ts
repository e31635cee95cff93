import { randomBytes } from 'node:crypto';

/** The real clock: ms since the epoch. */
export const now = (): number => Date.now();

/** A fresh id: 120 random bits, safe in paths and URLs. */
export const newId = (): string => randomBytes(15).toString('base64url');
