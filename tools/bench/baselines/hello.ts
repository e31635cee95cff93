import { onRequest } from '../../../functions/test/sdk.ts';

/** The least that a function can be: what starting and keeping an instance costs without anything of ours. */
export const hello = onRequest((_request, response) => void response.send('hello'));
