/** The names of the secrets, which the process of a function finds in its environment; params.ts declares them. */
export const secretNames = ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'OPENAI_API_KEY'] as const;
/** What is shorter is no key: to remove it would only garble the text. */
const shortestSecret = 8;

/**
 * A text without this process's secrets and without bearer tokens. For texts that others have written, such as the message
 * of an unexpected error: an SDK that cannot send a header quotes it, key and all.
 */
export function withoutSecrets(text: string): string {
  const secrets = secretNames.flatMap((name) => {
    const secret = process.env[name] ?? '';
    return secret.length < shortestSecret ? [] : formsOf(secret).map((form): [string, string] => [form, name]);
  });
  return secrets.reduce((left, [form, name]) => left.replaceAll(form, `[${name}]`), text).replace(/\b(Bearer\s+)[^\s"',]+/gi, '$1[token]');
}

/** A secret as it is, and as it stands in an address or in JSON. */
function formsOf(secret: string): string[] {
  return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])];
}
