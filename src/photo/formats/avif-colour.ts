import { colourSpaceOfCicp, iccProfile } from './icc-profile.js';
import { box, boxesOf, u16, u32, type IsoBox } from './iso-boxes.js';
import { encodeLocations, locationsOf, movedLocations } from './item-locations.js';
import type { Cicp } from './types.js';

/** `colr` boxes of the two kinds (ISO/IEC 23008-12). */
const NCLX = 'nclx';
const PROFILES = ['prof', 'rICC'];

/** More items and associations than any photo has. */
const MAX_ASSOCIATIONS = 65_536;

export interface AvifColour {
  /** Undefined where the file has none, or says that it is not specified. */
  readonly cicp?: Cicp;
  /** The file for the decoder, with a profile that says the same where it had none. */
  readonly pixels: Uint8Array;
}

/**
 * libvips knows a picture's colours by its ICC profile alone, so one is made of what an AVIF without any says in code
 * points.
 */
export function readAvifColour(avif: Uint8Array): AvifColour {
  const nothing = { pixels: avif };
  const meta = openMeta(avif);
  const colours = meta && coloursOf(meta);
  if (!colours || colours.some(({ body }) => PROFILES.includes(kindOf(body)))) return nothing;
  const nclx = colours.find(({ body }) => kindOf(body) === NCLX && body.length >= 11)?.body;
  if (!nclx) return nothing;
  const cicp = { primaries: nclx.readUInt16BE(4), transfer: nclx.readUInt16BE(6) };
  if (cicp.primaries > 255 || cicp.transfer > 255 || (cicp.primaries === 2 && cicp.transfer === 2)) return nothing;
  const space = colourSpaceOfCicp(cicp);
  const profile = space && iccProfile(space, false);
  const withProfile = profile && withColour(avif, meta, box('colr', Buffer.from('prof', 'latin1'), profile));
  return { cicp, pixels: withProfile ?? avif };
}

/** BT.601 and full range: how libheif's encoder makes luma and chroma of RGB where it is not told otherwise. */
const ENCODERS_MATRIX = Buffer.from([0, 6, 0x80]);

/**
 * An encoded AVIF that says what its RGB values mean in code points, and nowhere else: of a profile beside them a browser
 * would take that. Undefined where it is not built as expected of an encoder.
 */
export function withNclx(avif: Uint8Array, { primaries, transfer }: Cicp): Uint8Array | undefined {
  const meta = openMeta(avif);
  const colours = meta && coloursOf(meta);
  if (!meta || !colours) return undefined;
  const own = colours.find(({ body }) => kindOf(body) === NCLX && body.length >= 11);
  const encoding = own ? own.body.subarray(8, 11) : ENCODERS_MATRIX;
  const nclx = box('colr', Buffer.from(NCLX, 'latin1'), u16(primaries), u16(transfer), encoding);
  const profile = colours.find(({ body }) => PROFILES.includes(kindOf(body)));
  return withColour(avif, meta, nclx, own ?? profile);
}

/** Whether an AVIF of moving pictures (brand `avis`) holds a still one too, which alone can be decoded. */
export function avifSequence(avif: Uint8Array): 'none' | 'with a still' | 'alone' {
  const file = boxesOf(Buffer.from(avif.buffer, avif.byteOffset, avif.byteLength), 0);
  const ftyp = file[0]?.type === 'ftyp' ? file[0].body : Buffer.alloc(0);
  const brands = ftyp.toString('latin1', 0, 4) + ftyp.toString('latin1', 8);
  const isSequence = brands.indexOf('avis') % 4 === 0;
  if (!isSequence) return 'none';
  const meta = file.find(({ type }) => type === 'meta');
  const hasStill = meta && boxesOf(meta.body, 4).some(({ type }) => type === 'pitm');
  return hasStill ? 'with a still' : 'alone';
}

interface Meta {
  readonly file: readonly IsoBox[];
  readonly meta: IsoBox;
  readonly children: readonly IsoBox[];
  readonly properties: readonly IsoBox[];
  readonly associations: readonly Association[];
  readonly associationHead: Buffer;
  readonly primaryId: number;
}

interface Association {
  readonly id: number;
  /** Places among the properties, from 1, with the bit of what is essential. */
  readonly properties: readonly number[];
}

function openMeta(avif: Uint8Array): Meta | undefined {
  const file = boxesOf(Buffer.from(avif.buffer, avif.byteOffset, avif.byteLength), 0);
  const meta = file.find(({ type }) => type === 'meta');
  if (!meta || meta.body.length < 4) return undefined;
  const children = boxesOf(meta.body, 4);
  const pitm = children.find(({ type }) => type === 'pitm')?.body;
  const iprp = children.find(({ type }) => type === 'iprp');
  const [ipco, ipma, ...more] = iprp ? boxesOf(iprp.body, 0) : [];
  if (pitm?.[0] !== 0 || pitm.length < 6 || ipco?.type !== 'ipco' || ipma?.type !== 'ipma' || more.length > 0) {
    return undefined;
  }
  const associations = associationsOf(ipma.body);
  return (
    associations && {
      file,
      meta,
      children,
      properties: boxesOf(ipco.body, 0),
      associations,
      associationHead: ipma.body.subarray(0, 4),
      primaryId: pitm.readUInt16BE(4),
    }
  );
}

function isWide(head: Buffer): boolean {
  return (head[3]! & 1) === 1;
}

function associationsOf(body: Buffer): Association[] | undefined {
  if (body.length < 8 || body[0]! > 1) return undefined;
  const idBytes = body[0] === 0 ? 2 : 4;
  const placeBytes = isWide(body) ? 2 : 1;
  const rows: Association[] = [];
  let at = 8;
  let nAll = 0;
  for (let nRows = body.readUInt32BE(4); nRows > 0; nRows--) {
    if (at + idBytes + 1 > body.length) return undefined;
    const id = body.readUIntBE(at, idBytes);
    const count = body[at + idBytes]!;
    at += idBytes + 1;
    nAll += count + 1;
    if (at + count * placeBytes > body.length || nAll > MAX_ASSOCIATIONS) return undefined;
    rows.push({
      id,
      properties: Array.from({ length: count }, (_, i) => body.readUIntBE(at + i * placeBytes, placeBytes)),
    });
    at += count * placeBytes;
  }
  return rows;
}

/** Of the picture itself, not of its alpha. */
function coloursOf({ properties, associations, associationHead, primaryId }: Meta): IsoBox[] {
  const mask = isWide(associationHead) ? 0x7fff : 0x7f;
  const own = associations.filter(({ id }) => id === primaryId).flatMap((row) => row.properties);
  return own.flatMap((place) => {
    const property = properties[(place & mask) - 1];
    return property?.type === 'colr' ? [property] : [];
  });
}

function kindOf(colr: Buffer): string {
  return colr.toString('latin1', 0, 4);
}

/**
 * @param avif of which `meta` is.
 * @param replaced whose place among the properties it takes; without, it is one more of the picture.
 */
function withColour(avif: Uint8Array, meta: Meta, colr: Buffer, replaced?: IsoBox): Uint8Array | undefined {
  const { file, children, properties, associations, associationHead, primaryId } = meta;
  const iloc = children.find(({ type }) => type === 'iloc');
  const items = iloc && locationsOf(iloc.body);
  const place = properties.length + 1;
  const isInside = items?.every(({ extents }) => extents.every(({ at, length }) => at + length <= avif.length));
  const hasRoom = associations.some(({ id, properties: own }) => id === primaryId && own.length < 255);
  if (!items || !isInside || !hasRoom || place > (isWide(associationHead) ? 0x7fff : 0x7f)) return undefined;
  const all = replaced
    ? properties.map((property) => (property === replaced ? colr : property.whole))
    : [...properties.map(({ whole }) => whole), colr];
  const iprp = box(
    'iprp',
    box('ipco', ...all),
    box('ipma', associationHead, encodeAssociations(meta, replaced ? undefined : place)),
  );
  const start = file[0]!.whole.byteOffset;
  const metaEnd = meta.meta.whole.byteOffset - start + meta.meta.whole.length;
  const build = (shift: number): Buffer =>
    box(
      'meta',
      meta.meta.body.subarray(0, 4),
      ...children.map((child) => {
        if (child === iloc) return encodeLocations(movedLocations(items, metaEnd, shift));
        return child.type === 'iprp' ? iprp : child.whole;
      }),
    );
  const shift = build(0).length - meta.meta.whole.length;
  const end = file.reduce((sum, { whole }) => sum + whole.length, 0);
  // What follows the boxes that could be told stays behind them.
  return Buffer.concat([...file.map((part) => (part === meta.meta ? build(shift) : part.whole)), avif.subarray(end)]);
}

/** @param added one more of the picture's properties. */
function encodeAssociations({ associations, associationHead, primaryId }: Meta, added: number | undefined): Buffer {
  const encodePlace = isWide(associationHead) ? u16 : (value: number): Buffer => Buffer.from([value]);
  const encodeId = associationHead[0] === 0 ? u16 : u32;
  const first = associations.findIndex(({ id }) => id === primaryId);
  const rows = associations.map(({ id, properties }, i) => {
    const all = i === first && added !== undefined ? [...properties, added] : properties;
    return Buffer.concat([encodeId(id), Buffer.from([all.length]), ...all.map(encodePlace)]);
  });
  return Buffer.concat([u32(rows.length), ...rows]);
}
