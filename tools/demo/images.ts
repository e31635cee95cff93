import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

/** A picture as it is sent. */
export interface Image {
  name: string;
  base64: string;
}

/** What a folder gave. */
export interface Images {
  images: Image[];
  /** How many there are beyond the ones that are used. */
  leftOut: number;
}

/** The sample frames that come with the repository. */
export const SAMPLE_FRAMES = join(import.meta.dirname, 'frames');

export const LEAST_FRAMES = 30;
export const MOST_FRAMES = 60;

/**
 * Reads a folder's images in the order of their names. Whether a file really is a picture is for the server to judge.
 * @throws UserError when the folder or a file cannot be read, or there is no image.
 */
export function readImages(folder: string): Images {
  const names = attempt(folder, () => readdirSync(folder))
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (names.length === 0) throw new UserError(`${folder} holds no image: put at least one .jpg, .png or .webp file there.`);
  const used = names.slice(0, MOST_FRAMES);
  const images = used.map((name) => ({ name, base64: attempt(join(folder, name), () => readFileSync(join(folder, name))).toString('base64') }));
  return { images, leftOut: names.length - used.length };
}

/** The frames to send: all images, and from the start again until there are enough. */
export function toFrames(images: Image[]): Image[] {
  const count = Math.max(LEAST_FRAMES, images.length);
  return Array.from({ length: count }, (_, index) => images[index % images.length]!);
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UserError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}): give --frames a folder of images.`);
  }
}
