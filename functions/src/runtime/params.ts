import { defineSecret, defineString } from 'firebase-functions/params';

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

/** Whether this process runs in the functions emulator or under its environment. */
export function onEmulators(): boolean {
  return process.env['FUNCTIONS_EMULATOR'] === 'true' || process.env['FIRESTORE_EMULATOR_HOST'] !== undefined;
}
