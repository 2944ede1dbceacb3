import type { Point, Size } from '../../../src/base/geometry.js';
import { md5 } from '../../../src/photo/formats/photoshop.js';

/** One of Photoshop's image resources. */
export function resource(id: number, name: string, data: Uint8Array): Buffer {
  const head = Buffer.from(
    `8BIM\0\0${String.fromCharCode(name.length)}${name}${name.length % 2 === 0 ? '\0' : ''}`,
    'latin1',
  );
  head.writeUInt16BE(id, 4);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  return Buffer.concat([head, size, data, Buffer.alloc(data.length % 2)]);
}

/** A closed path with these corners, in shares, as [x, y]. */
export function pathOf(corners: readonly Point[]): Buffer {
  const records = Buffer.alloc(26 * (corners.length + 2));
  records.writeUInt16BE(6, 0);
  records.writeUInt16BE(corners.length, 28);
  for (const [i, [x, y]] of corners.entries()) {
    const at = 26 * (i + 2);
    records.writeUInt16BE(1, at);
    for (let point = 0; point < 3; point++) {
      records.writeInt32BE(Math.round(y * 2 ** 24), at + 2 + 8 * point);
      records.writeInt32BE(Math.round(x * 2 ** 24), at + 6 + 8 * point);
    }
  }
  return records;
}

/** An IPTC record, of a length that LONGs do not fill. */
export const RECORD = Buffer.from('\x1c\x02\x19\0\x04dogs\x1c\x02\x05\0\x05beach', 'latin1');

/** A big-endian TIFF with the record as LONGs, whose bytes lie as they are, or turned. */
export function bigEndianTiff({ width, height }: Size, turned: boolean): Buffer {
  const pixels = Buffer.alloc(3 * width * height, 90);
  const record = Buffer.concat([RECORD, Buffer.alloc((4 - (RECORD.length % 4)) % 4)]);
  if (turned) record.swap32();
  const digest = resource(0x0425, '', md5(RECORD));
  const fields: [number, number, number, number | Buffer][] = [
    [256, 3, 1, width << 16], [257, 3, 1, height << 16], [258, 3, 3, Buffer.from([0, 8, 0, 8, 0, 8])],
    [259, 3, 1, 1 << 16], [262, 3, 1, 2 << 16], [273, 4, 1, pixels], [277, 3, 1, 3 << 16], [278, 3, 1, height << 16],
    [279, 4, 1, pixels.length], [0x83bb, 4, record.length / 4, record], [0x8649, 1, digest.length, digest],
  ]; // prettier-ignore
  const head = Buffer.alloc(8 + 2 + 12 * fields.length + 4);
  head.write('MM\0*', 'latin1');
  head.writeUInt32BE(8, 4);
  head.writeUInt16BE(fields.length, 8);
  const parts: Buffer[] = [head];
  let end = head.length;
  for (const [i, [tag, type, count, value]] of fields.entries()) {
    const at = 10 + 12 * i;
    head.writeUInt16BE(tag, at);
    head.writeUInt16BE(type, at + 2);
    head.writeUInt32BE(count, at + 4);
    head.writeUInt32BE((typeof value === 'number' ? value : end) >>> 0, at + 8);
    if (typeof value === 'number') continue;
    parts.push(value, Buffer.alloc(value.length % 2));
    end += value.length + (value.length % 2);
  }
  return Buffer.concat(parts);
}
