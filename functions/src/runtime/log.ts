/** Structured logs as Cloud Logging reads them: a message and fields. Never a key, prompt, frame or token text. */
export * as log from 'firebase-functions/logger';
