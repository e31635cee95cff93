import { numberAt } from './mp4-boxes.ts';

/** Hz by the index in an AudioSpecificConfig (ISO/IEC 14496-3, table 1.18). */
const sampleRates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
/** AAC-LC, and the two high-efficiency kinds on top of it, whose frames have 1024 samples at the rate of that core. */
const knownKinds = new Set([2, 5, 29]);
const samplesPerFrame = 1024;
const [elementaryStream, decoderConfig, decoderSpecific] = [3, 4, 5];

/** Seconds of an AAC frame by the sample description that an `esds` box is in (ISO/IEC 14496-1, section 7.2.6); null for other codecs. */
export function aacFrameSeconds(description: Buffer): number | null {
  const box = description.indexOf('esds', 0, 'latin1');
  if (box < 0) return null;
  let at = box + 8;
  for (let depth = 0; depth < 3; depth += 1) {
    const tag = description[at++];
    // Lengths have seven bits a byte, at most four bytes; what is inside comes next anyway.
    for (let byte = 0; byte < 4 && (description[at++] ?? 0) >= 0x80; byte += 1);
    if (tag === elementaryStream) at += 3 + optionalFields(description, at);
    else if (tag === decoderConfig) at += 13;
    else if (tag === decoderSpecific) return frameSeconds(numberAt(description, at, 2));
  }
  return null;
}

function optionalFields(description: Buffer, at: number): number {
  const flags = description[at + 2] ?? 0;
  const dependence = flags & 0x80 ? 2 : 0;
  const address = flags & 0x40 ? 1 + (description[at + 3 + dependence] ?? 0) : 0;
  return dependence + address + (flags & 0x20 ? 2 : 0);
}

/** Five bits of kind, four of rate. */
function frameSeconds(config: number): number | null {
  const rate = sampleRates[(config >> 7) & 15];
  return rate !== undefined && knownKinds.has(config >> 11) ? samplesPerFrame / rate : null;
}
