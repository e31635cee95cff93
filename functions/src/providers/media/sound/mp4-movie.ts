import { boxesOf, numberAt } from './mp4-boxes.ts';
import type { Run } from './mp4-samples.ts';

/** A track: the boxes in its `trak` by type, and its runs in fragments. */
export interface Track {
  boxes: Map<string, Buffer>;
  runs: Run[];
}

/** What there is in a file. */
export interface Movie {
  /** Content of `mvhd`. */
  header: Buffer;
  tracks: Track[];
  /** Bytes of all `mdat`, and of whatever follows the last box. */
  dataBytes: number;
}

const nothing = Buffer.alloc(0);

/** The content of a track's box; empty without one. */
export const boxOf = ({ boxes }: Track, type: string): Buffer => boxes.get(type) ?? nothing;
/** Whether a full box has times of 8 bytes: its version says so. */
export const isWide = (body: Buffer): boolean => body[0] === 1;

/** Gathers the boxes of a movie by track, and the runs of its fragments with what these say of them (ISO/IEC 14496-12, section 8.8). */
export function movieOf(bytes: Buffer): Movie {
  const movie: Movie = { header: nothing, tracks: [], dataBytes: 0 };
  const byId = new Map<number, Track>();
  const defaults = new Map<number, Buffer>();
  let [fragmentAt, walked] = [0, 0];
  let fragment: { track: Track | undefined; base: number; usual: Run['usual'] } | null = null;
  for (const { at, end, type, body } of boxesOf(bytes)) {
    const track = movie.tracks.at(-1);
    walked = end;
    if (type === 'mvhd') movie.header = body;
    else if (type === 'trex') defaults.set(numberAt(body, 4), body);
    else if (type === 'mdat') movie.dataBytes += body.length;
    else if (type === 'trak') movie.tracks.push({ boxes: new Map(), runs: [] });
    else if (type === 'moof') fragmentAt = at;
    else if (type === 'tfhd') fragment = { track: byId.get(numberAt(body, 4)), ...fragmentOf(body, fragmentAt, defaults.get(numberAt(body, 4)) ?? nothing) };
    else if (type === 'trun') fragment?.track?.runs.push({ body, base: fragment.base, usual: fragment.usual });
    // Some writers put a second handler behind the first, for the data.
    else if (track && !(type === 'hdlr' && track.boxes.has('hdlr'))) track.boxes.set(type, body);
    if (type === 'tkhd' && track) byId.set(numberAt(body, isWide(body) ? 20 : 12), track);
  }
  movie.dataBytes += bytes.length - walked;
  return movie;
}

/** What `tfhd` says, or else `trex`: sections 8.8.7 and 8.8.3. */
function fragmentOf(header: Buffer, fragmentAt: number, defaults: Buffer) {
  let at = 8;
  const optional = (flag: number, width: number, otherwise: number) => {
    if ((numberAt(header, 1, 3) & flag) === 0) return otherwise;
    at += width;
    return numberAt(header, at - width, width);
  };
  const base = optional(0x01, 8, fragmentAt);
  optional(0x02, 4, 0);
  return { base, usual: { ticks: optional(0x08, 4, numberAt(defaults, 12)), size: optional(0x10, 4, numberAt(defaults, 16)) } };
}
