/** Milliseconds of a frame by the upper five bits of a packet's first byte (RFC 6716, table 2): SILK, hybrid, CELT. */
const frameTimes = [...repeated([10, 20, 40, 60], 3), ...repeated([10, 20], 2), ...repeated([2.5, 5, 10, 20], 4)];

function repeated(times: number[], count: number): number[] {
  return new Array<number[]>(count).fill(times).flat();
}

/** No packet holds more (RFC 6716, requirement R5). */
const longestPacket = 0.12;

/**
 * Seconds of an Opus packet by its first byte, and its second where that byte says "any number of frames" (RFC 6716,
 * section 3.1, https://www.rfc-editor.org/rfc/rfc6716#section-3.1): what a decoder makes of it, whatever its container says.
 * An empty packet has none; one with more frames than are allowed counts as the longest.
 */
export function opusSeconds(packet: Uint8Array): number {
  const first = packet[0];
  if (first === undefined) return 0;
  const code = first & 3;
  const frames = code === 3 ? (packet[1] ?? 0) & 0x3f : code === 0 ? 1 : 2;
  return Math.min(longestPacket, ((frameTimes[first >> 3] ?? 0) * frames) / 1000);
}
