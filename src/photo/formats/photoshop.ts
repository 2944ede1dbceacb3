import { createHash } from 'node:crypto';

/** Photoshop's image resources (Adobe Photoshop File Formats Specification): how JPEG, TIFF and PNG carry IPTC. */
export interface Resource {
  readonly id: number;
  /** Of a path, what its users call it. Latin-1. */
  readonly name: string;
  /** With its header. */
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
}

export const RESOURCE = {
  iptc: 0x0404,
  /** MD5 of the IPTC record when XMP was last brought in line with it: another one tells that IPTC is newer. */
  iptcDigest: 0x0425,
  workPath: 0x0401,
  firstPath: 2000,
  lastPath: 2997,
  clippingPathName: 2999,
} as const;

/** For a file that holds the IPTC record in a place of its own. */
export function resourcesButIptc(resources: Uint8Array): Uint8Array | undefined {
  return joined(readResources(resources).filter(({ id }) => id !== RESOURCE.iptc));
}

/** The IPTC record (IIM) among the resources. */
export function iptcIn(resources: Uint8Array): Uint8Array | undefined {
  return readResources(resources).find(({ id }) => id === RESOURCE.iptc)?.data;
}

/** With the digest of a record that says the same in other bytes, where it was that of the first. */
export function withDigestOf(iptc: Uint8Array, written: Uint8Array, resources: Uint8Array): Uint8Array {
  const all = readResources(resources);
  const isIt = ({ id, data }: Resource): boolean => id === RESOURCE.iptcDigest && md5(iptc).equals(data);
  return all.some(isIt) ? joined(all.map((each) => (isIt(each) ? withData(each, md5(written)) : each)))! : resources;
}

export function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** Undefined where there is none. */
export function joined(resources: readonly Resource[]): Uint8Array | undefined {
  return resources.length > 0 ? Buffer.concat(resources.map(({ bytes }) => bytes)) : undefined;
}

/** The resource with other data under the same name. */
export function withData({ id, name, bytes, data }: Resource, changed: Uint8Array): Resource {
  const headBytes = data.byteOffset - bytes.byteOffset;
  const head = Buffer.from(bytes.subarray(0, headBytes));
  head.writeUInt32BE(changed.length, headBytes - 4);
  const whole = Buffer.concat([head, changed, Buffer.alloc(changed.length % 2)]);
  return { id, name, bytes: whole, data: whole.subarray(headBytes, headBytes + changed.length) };
}

/** An IPTC record as the one resource. */
export function iptcResource(iptc: Uint8Array): Uint8Array {
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(iptc.length, 8);
  return Buffer.concat([head, iptc, Buffer.alloc(iptc.length % 2)]);
}

/** Those that can be told, in their order. */
export function readResources(bytes: Uint8Array): Resource[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const resources: Resource[] = [];
  let at = 0;
  while (at + 12 <= buffer.length && buffer.toString('latin1', at, at + 4) === '8BIM') {
    const nameEnd = at + 7 + buffer[at + 6]!;
    const sizeAt = nameEnd + ((nameEnd - at) % 2);
    if (sizeAt + 4 > buffer.length) break;
    const dataAt = sizeAt + 4;
    const dataEnd = dataAt + buffer.readUInt32BE(sizeAt);
    if (dataEnd > buffer.length) break;
    const end = Math.min(buffer.length, dataEnd + ((dataEnd - dataAt) % 2));
    resources.push({
      id: buffer.readUInt16BE(at + 4),
      name: buffer.toString('latin1', at + 7, nameEnd),
      bytes: buffer.subarray(at, end),
      data: buffer.subarray(dataAt, dataEnd),
    });
    at = end;
  }
  return resources;
}
