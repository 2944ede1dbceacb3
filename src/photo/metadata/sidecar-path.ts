import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { readRegularFile } from '../../files/read-regular.js';
import { isRawExtension } from '../camera-raw.js';
import { decodeXmlText } from '../formats/xml-text.js';
import { MAX_XML_CHARACTERS, XmlError } from '../formats/xml.js';
import { openXmp, readXmp, type XmpPacket } from './xmp.js';

/** What a sidecar may have at most, in UTF-16. */
export const MAX_SIDECAR_BYTES = 2 * MAX_XML_CHARACTERS;

/** Ways to call a sidecar: Adobe's, and darktable's and digiKam's. */
export const SIDECAR_NAMES = ['x.xmp', 'x.jpg.xmp'] as const;
export type SidecarName = (typeof SIDECAR_NAMES)[number];

/** The names in a folder. */
export type NamesIn = (folder: string) => Promise<readonly string[]>;

const namesIn: NamesIn = (folder) => readdir(folder).catch(() => []);

/**
 * Where a photo's sidecar is: `photo.xmp`, which Lightroom and Camera Raw read, or darktable's `photo.jpg.xmp` where
 * there is one. The latter too where `photo.xmp` is another file's: it says so, or a camera's raw file of the same base
 * name lies beside the photo.
 *
 * @param listed what is in a folder, for callers that ask for many photos of one.
 * @param wanted `x.jpg.xmp`: in any case; `x.xmp`: whether or not there is the other, unless it is another file's.
 */
export async function sidecarPathOf(
  photoPath: string,
  listed: NamesIn = namesIn,
  wanted?: SidecarName,
): Promise<string> {
  const { dir, name } = path.parse(photoPath);
  const own = `${photoPath}.xmp`;
  if (wanted === 'x.jpg.xmp') return own;
  const shared = path.join(dir, `${name}.xmp`);
  const isThere =
    wanted === undefined &&
    (await access(own).then(
      () => true,
      () => false,
    ));
  return isThere || (await hasRawTwin(photoPath, listed)) || (await namesAnother(shared, photoPath)) ? own : shared;
}

async function hasRawTwin(photoPath: string, listed: NamesIn): Promise<boolean> {
  const { dir, base, name } = path.parse(photoPath);
  const stem = name.toLowerCase();
  return (await listed(dir === '' ? '.' : dir)).some(
    (other) => other !== base && isRawExtension(other) && path.parse(other).name.toLowerCase() === stem,
  );
}

/** A file that cannot be read names nothing; whoever writes to it will say so. */
async function namesAnother(sidecar: string, photoPath: string): Promise<boolean> {
  const limits = { what: 'sidecar', maxBytes: MAX_SIDECAR_BYTES };
  const bytes = await readRegularFile(sidecar, limits).catch(() => undefined);
  const decoded = bytes && decodeXmlText(bytes);
  if (!decoded) return false;
  try {
    return otherFileOf(openXmp(decoded.text), photoPath) !== undefined;
  } catch (thrown) {
    if (thrown instanceof XmlError) return false;
    throw thrown;
  }
}

/** The file that a sidecar says it is of, in words, where it is not the photo. */
export function otherFileOf(packet: XmpPacket, photoPath: string): string | undefined {
  const { base, ext } = path.parse(photoPath);
  const extension = readXmp(packet, 'photoshop:SidecarForExtension');
  if (extension !== undefined && kindOf(extension) !== kindOf(ext)) return `a ${extension} file`;
  const raw = readXmp(packet, 'crs:RawFileName');
  return raw !== undefined && raw !== '' && raw.toLowerCase() !== base.toLowerCase() ? raw : undefined;
}

/** An extension, those that mean the same as one. */
function kindOf(extension: string): string {
  return extension
    .replace(/^\./, '')
    .toLowerCase()
    .replace(/^jpeg$/, 'jpg')
    .replace(/^tiff$/, 'tif');
}
