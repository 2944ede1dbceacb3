import { box, boxesOf, u16, u32 } from './iso-boxes.js';
import { encodeLocations, locationsOf, movedLocations } from './item-locations.js';
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
    const all = movedLocations(items, 0, shift);
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

interface NewItem {
  readonly id: number;
  readonly info: Buffer;
  readonly data: Buffer;
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
