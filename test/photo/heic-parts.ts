import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { box, boxesOf, u32 } from '../../src/photo/formats/iso-boxes.js';
import { encodeLocations, locationsOf, movedLocations } from '../../src/photo/formats/item-locations.js';
import { heifConvert, heifEnc } from '../support/system-tools.js';

function inFolder<T>(work: (file: (name: string) => string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-heic-'));
  try {
    return work((name) => path.join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The image (a PNG or JPEG) as heif-enc encodes it. */
export function heicOf(image: Uint8Array, ...options: readonly string[]): Buffer {
  return inFolder((file) => {
    const source = file(image[0] === 0xff ? 'a.jpg' : 'a.png');
    writeFileSync(source, image);
    heifEnc(source, file('a.heic'), ...options);
    return readFileSync(file('a.heic'));
  });
}

/** A PNG as heif-convert decodes it. */
export function convertedPng(heic: Uint8Array): Buffer {
  return inFolder((file) => {
    writeFileSync(file('a.heic'), heic);
    heifConvert(file('a.heic'), file('a.png'));
    return readFileSync(file('a.png'));
  });
}

/** A file of heif-enc whose second picture, the alpha, says that it is something else. */
export function withAuxiliary(heic: Uint8Array, type: string): Buffer {
  return withProperties(heic, [], box('auxC', Buffer.alloc(4), Buffer.from(`${type}\0`, 'latin1')));
}

/**
 * A file of heif-enc with properties added to its primary picture, in order.
 *
 * @param replaced takes the place of all properties of its type.
 */
export function withProperties(heic: Uint8Array, added: readonly Buffer[], replaced?: Buffer): Buffer {
  const file = boxesOf(Buffer.from(heic), 0);
  const meta = file.find(({ type }) => type === 'meta')!;
  const children = boxesOf(meta.body, 4);
  const [iprp, iloc, pitm] = ['iprp', 'iloc', 'pitm'].map((type) => children.find((child) => child.type === type)!);
  const [ipco, ipma] = boxesOf(iprp!.body, 0);
  const before = boxesOf(ipco!.body, 0).map(({ type, whole }) =>
    type === replaced?.toString('latin1', 4, 8) ? replaced : whole,
  );
  const places = added.map((_, i) => 0x80 | (before.length + 1 + i));
  const primary = pitm!.body.readUInt16BE(4);
  const rows: Buffer[] = [];
  let at = 8;
  for (let n = ipma!.body.readUInt32BE(4); n > 0; n--) {
    const count = ipma!.body[at + 2]!;
    const own = [...ipma!.body.subarray(at + 3, at + 3 + count)];
    const id = ipma!.body.subarray(at, at + 2);
    const all = id.readUInt16BE(0) === primary ? [...own, ...places] : own;
    rows.push(Buffer.from([...id, all.length, ...all]));
    at += 3 + count;
  }
  const newIprp = box(
    'iprp',
    box('ipco', ...before, ...added),
    box('ipma', ipma!.body.subarray(0, 4), u32(rows.length), ...rows),
  );
  const build = (shift: number): Buffer =>
    box(
      'meta',
      meta.body.subarray(0, 4),
      ...children.map((child) => {
        if (child === iprp) return newIprp;
        return child === iloc ? encodeLocations(movedLocations(locationsOf(iloc.body)!, 0, shift)) : child.whole;
      }),
    );
  const shift = build(0).length - meta.whole.length;
  return Buffer.concat(file.map((part) => (part === meta ? build(shift) : part.whole)));
}
