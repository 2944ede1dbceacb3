/** A packet's own end, with the white space before it (XMP part 1, 7.3). */
const END = /\s*(<\?xpacket\s+end\s*=\s*["'][rw]["']\s*\?>)?\s*$/;

/** As much as programs leave for others to write into, without the file having to be made anew. */
const ROOM_BYTES = 2048;

const LINE = `${' '.repeat(99)}\n`;

/**
 * The packet in UTF-8, as long as the one it replaces where it is not longer, so that nothing behind it moves; else with
 * some room for the next.
 *
 * @param most bytes that it may have
 * @returns undefined where it has more even without any room
 */
export function paddedPacket(text: string, replacedBytes: number, most: number): Uint8Array | undefined {
  const [ending, end = ''] = END.exec(text)!;
  const body = text.slice(0, text.length - ending.length);
  const bareBytes = Buffer.byteLength(body) + Buffer.byteLength(end) + 1;
  if (bareBytes > most) return undefined;
  const wanted = bareBytes <= replacedBytes ? replacedBytes : Math.min(most, bareBytes + ROOM_BYTES);
  const nRoom = wanted - bareBytes;
  const room = LINE.repeat(Math.ceil(nRoom / LINE.length)).slice(0, nRoom);
  return Buffer.from(`${body}\n${room}${end}`, 'utf8');
}
