import { withAvifMetadata } from '../avif-items.js';
import { boxesOf, type IsoBox } from '../iso-boxes.js';
import { locationsOf, type ItemLocation } from '../item-locations.js';
import { refusedPlace, type FoundPlace } from './types.js';

const XMP_KIND = 'application/rdf+xml';

/** Boxes that may stand beside the items without saying where anything lies. */
const INERT = new Set(['ftyp', 'meta', 'mdat', 'free', 'skip', 'wide', 'styp']);

/** The user type of C2PA's box (C2PA technical specification 2.1, A.5). */
const CREDENTIALS = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');

/** What the items of a file are, as far as an XMP of the picture is concerned. */
interface Items {
  readonly file: Buffer;
  readonly children: readonly IsoBox[];
  readonly locations: readonly ItemLocation[];
  readonly infos: readonly { readonly id: number; readonly whole: Buffer; readonly isXmp: boolean }[];
  readonly references: readonly { readonly from: number; readonly whole: Buffer; readonly to: readonly number[] }[];
  readonly pictureId: number;
  /** Where the body of `iloc` begins in the file. */
  readonly locationsAt: number;
}

/**
 * An item of the kind `mime` that describes the picture (ISO/IEC 23008-12, annex A). A packet that fits stays in its
 * place, a longer one goes behind the file, as does that of a new item; what lies behind a list that grew is told anew.
 * A file in which anything else could say where something lies is left alone.
 */
export function heicXmp(heic: Uint8Array): FoundPlace {
  const file = Buffer.from(heic.buffer, heic.byteOffset, heic.byteLength);
  const boxes = boxesOf(file, 0);
  if (boxes.some(({ type, body }) => type === 'uuid' && CREDENTIALS.equals(body.subarray(0, 16)))) {
    return refusedPlace('signed');
  }
  const items = isPlain(file, boxes) ? itemsOf(file, boxes) : undefined;
  if (!items) return refusedPlace('unknown');
  const { infos, references, pictureId, locations } = items;
  const isOfPicture = (id: number): boolean =>
    references.some(({ from, to, whole }) => from === id && isKind(whole, 'cdsc') && to.includes(pictureId));
  const [own, another] = infos.filter(({ id, isXmp }) => isXmp && isOfPicture(id));
  if (another) return refusedPlace('doubled');
  if (!own) {
    return { replaced: (packet) => withNewItem(items, packet), rest: () => restOf(items, undefined) };
  }
  const location = locations.find(({ id }) => id === own.id);
  const [extent, further] = location?.extents ?? [];
  if (location?.method !== 0 || !extent || further) return refusedPlace('unknown');
  return {
    packet: file.subarray(extent.at, extent.at + extent.length),
    replaced: (packet) => withItem(items, own.id, packet),
    rest: () => restOf(items, own.id),
  };
}

/** Boxes from end to end, each of a length that is told, and none that has places of its own. */
function isPlain(file: Buffer, boxes: readonly IsoBox[]): boolean {
  const nBytes = boxes.reduce((sum, { whole }) => sum + whole.length, 0);
  const metas = boxes.filter(({ type }) => type === 'meta');
  return (
    nBytes === file.length &&
    metas.length === 1 &&
    boxes.every(({ type, whole }) => (INERT.has(type) || type === 'uuid') && whole.readUInt32BE(0) === whole.length)
  );
}

function itemsOf(file: Buffer, boxes: readonly IsoBox[]): Items | undefined {
  const meta = boxes.find(({ type }) => type === 'meta')!;
  const children = boxesOf(meta.body, 4);
  const one = (type: string): IsoBox | undefined => {
    const found = children.filter((child) => child.type === type);
    return found.length === 1 ? found[0] : undefined;
  };
  const [pitm, iloc, iinf, iref] = ['pitm', 'iloc', 'iinf', 'iref'].map(one);
  if (pitm?.body.length !== 6 || pitm.body[0] !== 0 || !iloc || iinf?.body[0] !== 0 || iinf.body.length < 6) {
    return undefined;
  }
  if (children.filter(({ type }) => type === 'iref').length > 1 || (iref?.body[0] ?? 0) !== 0) return undefined;
  const locations = locationsOf(iloc.body);
  const infos = boxesOf(iinf.body, 6).map(infoOf);
  const references = iref ? boxesOf(iref.body, 4).map(referenceOf) : [];
  if (!locations || infos.includes(undefined) || references.includes(undefined)) return undefined;
  const metaEnd = meta.whole.byteOffset - file.byteOffset + meta.whole.length;
  // Construction 2 counts in other items; what lies before the list would not move with the rest.
  const isPlaced = ({ method, extents }: ItemLocation): boolean =>
    method === 1 ||
    (method === 0 && extents.every(({ at, length }) => length > 0 && at >= metaEnd && at + length <= file.length));
  if (!locations.every(isPlaced) || locations.some(({ isElsewhere }) => isElsewhere)) return undefined;
  return {
    file,
    children,
    locations,
    infos: infos as Items['infos'],
    references: references as Items['references'],
    pictureId: pitm.body.readUInt16BE(4),
    locationsAt: iloc.body.byteOffset - file.byteOffset,
  };
}

/** `infe` of version 2: id, protection, type, name, and of `mime` the kind and the encoding. */
function infoOf({ type, whole, body }: IsoBox): Items['infos'][number] | undefined {
  if (type !== 'infe' || body[0] !== 2 || body.length < 13) return undefined;
  const [, kind, encoding] = body.toString('latin1', 12).split('\0');
  const isMime = body.toString('latin1', 8, 12) === 'mime';
  return { id: body.readUInt16BE(4), whole, isXmp: isMime && kind === XMP_KIND && (encoding ?? '') === '' };
}

/** `from`, how many, and `to` each. */
function referenceOf({ whole, body }: IsoBox): Items['references'][number] | undefined {
  const count = body.length < 4 ? 0 : body.readUInt16BE(2);
  if (count === 0 || body.length !== 4 + 2 * count) return undefined;
  return {
    from: body.readUInt16BE(0),
    whole,
    to: Array.from({ length: count }, (_, i) => body.readUInt16BE(4 + 2 * i)),
  };
}

function isKind(box: Buffer, type: string): boolean {
  return box.toString('latin1', 4, 8) === type;
}

function withItem(items: Items, id: number, packet: Uint8Array): Uint8Array | undefined {
  const { file, locations, locationsAt } = items;
  const { extents, written } = locations.find((each) => each.id === id)!;
  const { at, length } = extents[0]!;
  const changed = Buffer.from(file);
  if (packet.length <= length) {
    changed.fill(' ', at, at + length).set(packet, at);
    return changed;
  }
  const packetAt = file.length + 8;
  if (!written || packetAt + packet.length > 0xffff_ffff || packetAt < written.base) return undefined;
  changed.fill(0, at, at + length);
  changed.writeUInt32BE(packetAt - written.base, locationsAt + written.offsetAt);
  changed.writeUInt32BE(packet.length, locationsAt + written.lengthAt);
  const head = Buffer.from('\0\0\0\0mdat', 'latin1');
  head.writeUInt32BE(packet.length + 8);
  return Buffer.concat([changed, head, packet]);
}

/** Whatever the writer of lists may have wrong: each item is to be found again, as it was. */
function withNewItem(before: Items, packet: Uint8Array): Uint8Array | undefined {
  const changed = withAvifMetadata(before.file, { xmp: Buffer.from(packet).toString('utf8') });
  if (!changed) return undefined;
  const file = Buffer.from(changed.buffer, changed.byteOffset, changed.byteLength);
  const after = itemsOf(file, boxesOf(file, 0));
  const isKept = ({ id }: ItemLocation): boolean => dataOf(before, id).equals(dataOf(after!, id));
  return after && before.locations.every(isKept) ? changed : undefined;
}

function dataOf({ file, locations, children }: Items, id: number): Buffer {
  const location = locations.find((each) => each.id === id);
  const from = location?.method === 1 ? (children.find(({ type }) => type === 'idat')?.body ?? Buffer.alloc(0)) : file;
  return Buffer.concat((location?.extents ?? []).map(({ at, length }) => from.subarray(at, at + length)));
}

function restOf(items: Items, xmpId: number | undefined): Uint8Array[] {
  const { children, locations, infos, references } = items;
  const lists = new Set(['iinf', 'iloc', 'iref']);
  const isOther = ({ id }: { readonly id: number }): boolean => id !== xmpId;
  return [
    ...children.filter(({ type }) => !lists.has(type)).map(({ whole }) => whole),
    ...infos.filter(isOther).map(({ whole }) => whole),
    ...references.filter(({ from }) => from !== xmpId).map(({ whole }) => whole),
    ...locations.filter(isOther).map(({ id }) => dataOf(items, id)),
  ];
}
