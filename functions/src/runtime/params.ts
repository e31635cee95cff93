import { defineInt, defineSecret, defineString, select } from 'firebase-functions/params';

/** Platform keys of the model vendors. Bound to the functions that call a vendor, read inside the handler only. */
export const geminiApiKey = defineSecret('GEMINI_API_KEY');
export const googleApiKey = defineSecret('GOOGLE_API_KEY');
export const openaiApiKey = defineSecret('OPENAI_API_KEY');

/** Base URL of a vendor when it is not the vendor's default, e.g. a regional endpoint. Empty means the default. */
export const geminiBaseUrl = defineString('GEMINI_BASE_URL', { default: '' });
export const googleBaseUrl = defineString('GOOGLE_BASE_URL', { default: '' });
export const openaiBaseUrl = defineString('OPENAI_BASE_URL', { default: '' });
/** The same for Cloud Text-to-Speech, which is the voice of the `google` provider. */
export const googleSpeechBaseUrl = defineString('GOOGLE_SPEECH_BASE_URL', { default: '' });

/** Google Cloud project that makes the `google` provider use Vertex AI with the functions' own identity. Empty: its API key is used. */
export const googleProjectId = defineString('GOOGLE_PROJECT_ID', { default: '' });
/** Vertex AI region, such as `us-central1`. */
export const googleLocation = defineString('GOOGLE_LOCATION', { default: '' });
/** OpenAI organization that calls are billed to. Empty: the key's own. */
export const openaiOrganizationId = defineString('OPENAI_ORGANIZATION_ID', { default: '' });

/** Comma-separated Realtime Database URLs that live state is spread over. Empty means the default database. */
export const liveDatabaseUrls = defineString('LIVE_DATABASE_URLS', { default: '' });

/** Cloud Storage bucket of kept media. Empty: the project's default bucket, or on emulators a folder. */
export const mediaBucketName = defineString('MEDIA_BUCKET', { default: '' });
/** Folder of kept media on emulators. Empty: one of the machine's for temporary files. */
export const mediaFolderName = defineString('MEDIA_FOLDER', { default: '' });

/** Origins whose browsers may call, such as `https://game.example`, comma-separated. Empty: none, but all on the emulators. */
const corsOrigins = defineString('CORS_ORIGINS', { default: '' });

/** Calls that one signed-in user, and one address of callers who have not signed in, may make in each window. */
const rateLimitPerUser = defineInt('RATE_LIMIT_PER_USER', { default: 1_000 });
const rateLimitPerAddress = defineInt('RATE_LIMIT_PER_ADDRESS', { default: 100 });
const rateLimitWindowSeconds = defineInt('RATE_LIMIT_WINDOW_SECONDS', { default: 60 });
/** Proxies of your own, such as a load balancer, that add an address behind the client's to `X-Forwarded-For`. */
const trustedProxies = defineInt('TRUSTED_PROXIES', { default: 0 });

/** Whether calls must come from an app that App Check knows. */
const appCheck = defineString('APP_CHECK', { default: 'off', input: select(['off', 'enforce']) });

/** The calls that one signed-in user may make in a window. */
export const callsPerUser = (): number => positive(rateLimitPerUser.value(), 1_000);
/** The calls that may come from one address in a window without a sign-in. */
export const callsPerAddress = (): number => positive(rateLimitPerAddress.value(), 100);
/** How long a window of the limits is, in seconds. */
export const rateWindowSeconds = (): number => positive(rateLimitWindowSeconds.value(), 60);
/** How many addresses at the end of `X-Forwarded-For` are proxies of your own. */
export const ownProxies = (): number => Math.max(0, trustedProxies.value());

/** Whether App Check is enforced. A value that is not known enforces it, so that a typing error does not switch it off. */
export const enforcesAppCheck = (): boolean => !['', 'off'].includes(appCheck.value());

/** A process outside a deployment has no value of a parameter, not even its default. */
function positive(value: number, fallback: number): number {
  return value > 0 ? value : fallback;
}

/** Origins whose browsers may call: all, none or a list. */
export function browserOrigins(): boolean | string[] {
  // firebase-tools, which loads the functions to list them, has no values yet.
  if (process.env['FUNCTIONS_CONTROL_API'] === 'true') return false;
  const origins = corsOrigins.value().split(',').map((origin) => origin.trim()).filter((origin) => origin !== '');
  if (origins.length === 0) return onEmulators();
  return origins.map((origin) => (URL.canParse(origin) ? new URL(origin).origin : origin));
}

/** Whether this process runs in the functions emulator or under its environment. */
export function onEmulators(): boolean {
  return process.env['FUNCTIONS_EMULATOR'] === 'true' || process.env['FIRESTORE_EMULATOR_HOST'] !== undefined;
}
