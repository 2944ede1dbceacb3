import { box, u16, u32 } from './iso-boxes.js';

/** Where an item of an AVIF lies: a row of `iloc`. */
export interface ItemLocation {
  readonly id: number;
  /** 0: the extents count from the start of the file. */
  readonly method: number;
  readonly extents: readonly { readonly at: number; readonly length: number }[];
  /** In another file (data_reference_index). */
  readonly isElsewhere?: boolean;
  /** Where in the box's body the first extent is written, if it is: four bytes each, the offset from `base` on. */
  readonly written?: { readonly base: number; readonly offsetAt: number; readonly lengthAt: number };
}

/** More than a photo of the largest grid has; damaged ones may claim thousands of millions. */
const MAX_EXTENTS = 65_536;

/** Undefined where the box is not built as expected of an encoder. */
export function locationsOf(body: Buffer): ItemLocation[] | undefined {
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
  let nExtentsLeft = MAX_EXTENTS;
  try {
    for (let nItems = next(2); nItems > 0; nItems--) {
      const id = next(2);
      const method = version === 1 ? next(2) & 15 : 0;
      const isElsewhere = next(2) !== 0;
      const base = next(baseBytes);
      const extents: { at: number; length: number }[] = [];
      const offsetAt = at + 2 + indexBytes;
      const isWritten = offsetBytes === 4 && lengthBytes === 4;
      for (let nExtents = next(2); nExtents > 0; nExtents--) {
        if (nExtentsLeft-- === 0) return undefined;
        next(indexBytes);
        extents.push({ at: base + next(offsetBytes), length: next(lengthBytes) });
      }
      const written = isWritten && { written: { base, offsetAt, lengthAt: offsetAt + 4 } };
      items.push({ id, method, extents, ...(isElsewhere && { isElsewhere }), ...written });
    }
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
  return items;
}

export function encodeLocations(items: readonly ItemLocation[]): Buffer {
  const fields: Buffer[] = [Buffer.from([1, 0, 0, 0, 0x44, 0x00]), u16(items.length)];
  for (const { id, method, extents } of items) {
    fields.push(u16(id), u16(method), u16(0), u16(extents.length));
    for (const { at, length } of extents) fields.push(u32(at), u32(length));
  }
  return box('iloc', ...fields);
}

/** With what lies in the file behind a place moved. */
export function movedLocations(items: readonly ItemLocation[], from: number, shift: number): ItemLocation[] {
  return items.map((item) => ({
    ...item,
    extents: item.extents.map((extent) =>
      item.method === 0 && extent.at >= from ? { ...extent, at: extent.at + shift } : extent,
    ),
  }));
}
