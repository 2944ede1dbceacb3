/** Photoshop's image resources (Adobe Photoshop File Formats Specification): how JPEG, TIFF and PNG carry IPTC. */
interface Resource {
  readonly id: number;
  /** With its header. */
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
}

const IPTC = 0x0404;

/** Copies of what the file holds elsewhere (ICC, EXIF, XMP), and thumbnails, which show what was cropped away. */
const LEFT_OUT = new Set([0x0409, 0x040c, 0x040f, 0x0422, 0x0423, 0x0424]);

/** The resources that go with a crop; undefined where there is none. */
export function resourcesOfCrop(resources: Uint8Array): Uint8Array | undefined {
  return resourcesWhere(resources, (id) => !LEFT_OUT.has(id));
}

/** For a file that holds the IPTC record in a place of its own. */
export function resourcesButIptc(resources: Uint8Array): Uint8Array | undefined {
  return resourcesWhere(resources, (id) => id !== IPTC);
}

function resourcesWhere(resources: Uint8Array, isKept: (id: number) => boolean): Uint8Array | undefined {
  const kept = readResources(resources).filter(({ id }) => isKept(id));
  return kept.length > 0 ? Buffer.concat(kept.map(({ bytes }) => bytes)) : undefined;
}

/** The IPTC record (IIM) among the resources. */
export function iptcIn(resources: Uint8Array): Uint8Array | undefined {
  return readResources(resources).find(({ id }) => id === IPTC)?.data;
}

/** An IPTC record as the one resource. */
export function iptcResource(iptc: Uint8Array): Uint8Array {
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(iptc.length, 8);
  return Buffer.concat([head, iptc, Buffer.alloc(iptc.length % 2)]);
}

function readResources(bytes: Uint8Array): Resource[] {
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
      bytes: buffer.subarray(at, end),
      data: buffer.subarray(dataAt, dataEnd),
    });
    at = end;
  }
  return resources;
}
