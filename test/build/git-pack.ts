import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const TYPE_NUMBERS = { commit: 1, tree: 2, blob: 3 };
const OFS_DELTA = 6;
const REF_DELTA = 7;

export type PackEntry =
  | { readonly type: 'commit' | 'tree' | 'blob'; readonly data: Buffer }
  | { readonly base: string | number; readonly delta: Buffer }; // id of the base, or its index in the pack

export function gitId(type: string, data: Buffer): string {
  return createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex');
}

/** A version 2 bundle around a pack of these entries, with one ref to `commit`. */
export function makeBundle(commit: string, entries: readonly PackEntry[]): Buffer {
  const header = Buffer.alloc(12);
  header.write('PACK');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(entries.length, 8);
  const parts: Buffer[] = [header];
  const offsets: number[] = [];
  let at = header.length;
  for (const entry of entries) {
    offsets.push(at);
    const bytes = encodeEntry(entry, at, offsets);
    parts.push(bytes);
    at += bytes.length;
  }
  const pack = Buffer.concat(parts);
  const checksum = createHash('sha1').update(pack).digest();
  return Buffer.concat([Buffer.from(`# v2 git bundle\n${commit} HEAD\n\n`), pack, checksum]);
}

function encodeEntry(entry: PackEntry, offset: number, offsets: readonly number[]): Buffer {
  if ('type' in entry)
    return Buffer.concat([sizeHeader(TYPE_NUMBERS[entry.type], entry.data.length), deflateSync(entry.data)]);
  const kind = typeof entry.base === 'string' ? REF_DELTA : OFS_DELTA;
  const base =
    typeof entry.base === 'string' ? Buffer.from(entry.base, 'hex') : distanceBytes(offset - offsets[entry.base]!);
  return Buffer.concat([sizeHeader(kind, entry.delta.length), base, deflateSync(entry.delta)]);
}

function sizeHeader(kind: number, size: number): Buffer {
  const bytes = [(kind << 4) | (size & 15)];
  for (let rest = size >>> 4; rest > 0; rest >>>= 7) {
    bytes[bytes.length - 1]! |= 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}

function distanceBytes(distance: number): Buffer {
  const bytes = [distance & 0x7f];
  for (let rest = distance >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (--rest & 0x7f));
  return Buffer.from(bytes);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push(0x80 | (rest & 0x7f));
  }
}
