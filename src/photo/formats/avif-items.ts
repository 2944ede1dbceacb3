import type { CropMetadata } from './types.js';

/**
 * Adds EXIF and XMP items to an AVIF that has none, as ISO/IEC 23008-12 annex A lays them out: an entry in `iinf`, its
 * place in `iloc`, a `cdsc` reference to the picture in `iref`, and the data behind everything else.
 *
 * @returns undefined where the file is not built as expected of an encoder.
 */
export function withAvifMetadata(avif: Uint8Array, { exif, xmp }: CropMetadata): Uint8Array | undefined {
  const file = boxesOf(Buffer.from(avif.buffer, avif.byteOffset, avif.byteLength), 0);
  const meta = file.find(({ type }) => type === 'meta');
  const children = meta && boxesOf(meta.body, 4);
  const [iinf, iloc, pitm] = ['iinf', 'iloc', 'pitm'].map((wanted) => children?.find(({ type }) => type === wanted));
  if (!meta || !children || !iinf || !iloc || !pitm || iinf.body[0] !== 0 || pitm.body[0] !== 0) return undefined;
  const items = locationsOf(iloc.body);
  if (!items) return undefined;

  const pictureId = pitm.body.readUInt16BE(4);
  const added: NewItem[] = [];
  let nextId = Math.max(pictureId, ...items.map(({ id }) => id)) + 1;
  // Four bytes say how far behind them the TIFF header begins.
  if (exif) added.push({ id: nextId++, info: itemInfo('Exif', ''), data: Buffer.concat([Buffer.alloc(4), exif]) });
  if (xmp) {
    const data = Buffer.from(xmp, 'utf8');
    added.push({ id: nextId++, info: itemInfo('mime', 'application/rdf+xml\0'), data });
  }
  if (nextId > 0xffff) return undefined;

  const build = (shift: number, dataAt: number): Buffer => {
    let at = dataAt;
    const all = items.map((item) => ({
      ...item,
      extents: item.extents.map((extent) => (item.method === 0 ? { ...extent, at: extent.at + shift } : extent)),
    }));
    for (const { id, data } of added) {
      all.push({ id, method: 0, extents: [{ at, length: data.length }] });
      at += data.length;
    }
    const rebuilt = children.map((box) => {
      if (box === iloc) return encodeLocations(all);
      if (box === iinf) return encodeInfo(box.body, added);
      return box.type === 'iref' ? encodeReferences(box.body, added, pictureId) : box.whole;
    });
    if (!children.some(({ type }) => type === 'iref')) {
      rebuilt.push(encodeReferences(Buffer.alloc(4), added, pictureId));
    }
    return box('meta', meta.body.subarray(0, 4), ...rebuilt);
  };
  const shift = build(0, 0).length - meta.whole.length;
  // 8: the new mdat's own header
  const newMeta = build(shift, avif.length + shift + 8);
  return Buffer.concat([
    ...file.map((part) => (part === meta ? newMeta : part.whole)),
    box('mdat', ...added.map(({ data }) => data)),
  ]);
}

interface IsoBox {
  readonly type: string;
  readonly whole: Buffer;
  readonly body: Buffer;
}

interface NewItem {
  readonly id: number;
  readonly info: Buffer;
  readonly data: Buffer;
}

interface ItemLocation {
  readonly id: number;
  /** 0: the extents count from the start of the file. */
  readonly method: number;
  readonly extents: readonly { readonly at: number; readonly length: number }[];
}

function boxesOf(bytes: Buffer, from: number): IsoBox[] {
  const boxes: IsoBox[] = [];
  let at = from;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at) || bytes.length - at;
    if (size < 8 || at + size > bytes.length) break; // sizes of 64 bits are for files that no crop comes to
    const whole = bytes.subarray(at, at + size);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), whole, body: whole.subarray(8) });
    at += size;
  }
  return boxes;
}

function locationsOf(body: Buffer): ItemLocation[] | undefined {
  const version = body[0]!;
  if (version > 1) return undefined;
  const [offsetBytes, lengthBytes] = [body[4]! >> 4, body[4]! & 15];
  const [baseBytes, indexBytes] = [body[5]! >> 4, version === 1 ? body[5]! & 15 : 0];
  if ([offsetBytes, lengthBytes, baseBytes, indexBytes].some((n) => n !== 0 && n !== 4)) return undefined;
  let at = 6;
  const next = (nBytes: number): number => {
    if (nBytes === 0) return 0;
    at += nBytes;
    return body.readUIntBE(at - nBytes, nBytes);
  };
  const items: ItemLocation[] = [];
  try {
    for (let nItems = next(2); nItems > 0; nItems--) {
      const id = next(2);
      const method = version === 1 ? next(2) & 15 : 0;
      next(2); // data_reference_index: this file
      const base = next(baseBytes);
      const extents: { at: number; length: number }[] = [];
      for (let nExtents = next(2); nExtents > 0; nExtents--) {
        next(indexBytes);
        extents.push({ at: base + next(offsetBytes), length: next(lengthBytes) });
      }
      items.push({ id, method, extents });
    }
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
  return items;
}

function encodeLocations(items: readonly ItemLocation[]): Buffer {
  const fields: Buffer[] = [Buffer.from([1, 0, 0, 0, 0x44, 0x00]), u16(items.length)];
  for (const { id, method, extents } of items) {
    fields.push(u16(id), u16(method), u16(0), u16(extents.length));
    for (const { at, length } of extents) fields.push(u32(at), u32(length));
  }
  return box('iloc', ...fields);
}

function encodeInfo(body: Buffer, added: readonly NewItem[]): Buffer {
  const infos = added.map(({ id, info }) => box('infe', Buffer.from([2, 0, 0, 1]), u16(id), u16(0), info));
  return box('iinf', body.subarray(0, 4), u16(body.readUInt16BE(4) + added.length), body.subarray(6), ...infos);
}

function encodeReferences(body: Buffer, added: readonly NewItem[], pictureId: number): Buffer {
  const wide = body[0] === 1;
  const id = wide ? u32 : u16;
  const references = added.map((item) => box('cdsc', id(item.id), u16(1), id(pictureId)));
  return box('iref', body, ...references);
}

function itemInfo(type: string, contentType: string): Buffer {
  return Buffer.from(`${type}\0${contentType}`, 'latin1');
}

function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(length), Buffer.from(type, 'latin1'), ...parts], length);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
