import type { MediaStorage } from '../../src/media/storage.ts';

/** Kept media in memory. Its addresses lead nowhere: they say what was signed. */
export class MemoryMedia implements MediaStorage {
  readonly files = new Map<string, { bytes: Buffer; mimeType: string }>();
  /** Every call so far, as `method path`. */
  readonly calls: string[] = [];
  /** What happens before each call does what it is for; it may fail. */
  before: (call: string) => Promise<void> = () => Promise.resolve();

  async put(path: string, bytes: Uint8Array, mimeType: string): Promise<void> {
    await this.called(`put ${path}`);
    this.files.set(path, { bytes: Buffer.from(bytes), mimeType });
  }

  async signedUrl(path: string, expiresAt: number): Promise<string> {
    await this.called(`signedUrl ${path}`);
    return `https://media.example/${path}?expires=${expiresAt}`;
  }

  async removeAll(folder: string): Promise<void> {
    await this.called(`removeAll ${folder}`);
    for (const path of [...this.files.keys()].filter((each) => each.startsWith(`${folder}/`))) this.files.delete(path);
  }

  private async called(call: string): Promise<void> {
    this.calls.push(call);
    await this.before(call);
  }
}
