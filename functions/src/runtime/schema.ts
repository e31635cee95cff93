import { z } from 'zod';

/**
 * A document id as this system issues them. Refused are separators, so that no id can point outside its collection,
 * the ids that Firestore reserves, and `hasOwnProperty`: as a path segment it makes the Realtime Database SDK lose its
 * own method, and the process with it.
 */
export const idSchema = z.string().regex(/^(?!__.*__$|hasOwnProperty$)[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "-" or "_"');

/** Id of an account: Firebase Auth allows up to 128 characters. */
export const accountIdSchema = z.string().regex(/^(?!__.*__$|hasOwnProperty$)[A-Za-z0-9_-]{1,128}$/, 'is no id of an account');

/** DOFs: whole credits, never negative. */
export const dofsSchema = z.int().nonnegative();

/** A moment in answers: ISO 8601 in UTC. */
export const momentSchema = z.iso.datetime();

/** Cursor pagination of list operations: 20 a page unless asked, at most 100 (seed 001, performance). */
export const pageSchema = z.strictObject({
  limit: z.int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});
