import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { PhotoFormat } from '../../photo/sniff.js';

const EXTENSIONS: Readonly<Record<PhotoFormat, readonly string[]>> = {
  jpeg: ['.jpg', '.jpeg'],
  png: ['.png'],
  webp: ['.webp'],
  avif: ['.avif'],
  heic: ['.heic', '.heif', '.hif'],
  tiff: ['.tif', '.tiff'],
  gif: ['.gif'],
};

/** Most file systems take 255 bytes. */
const MOST_CHARACTERS = 60;

/**
 * A file name of a photo that comes from elsewhere: its own words as far as they are harmless, the extension of what it
 * really is, no folder, never hidden.
 */
export function safeName(wanted: string, format: PhotoFormat): string {
  const { name, ext } = path.posix.parse(wanted.replaceAll('\\', '/'));
  const stem = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N} _.()-]+/gu, '-')
    .replace(/^[. -]+|[. ]+$/g, '')
    .slice(0, MOST_CHARACTERS);
  const extensions = EXTENSIONS[format];
  const own = ext.toLowerCase();
  return `${stem === '' ? 'photo' : stem}${extensions.includes(own) ? own : extensions[0]!}`;
}

/** `dogs.jpg`, or where that is there `dogs-2.jpg` and so on. */
export async function freeName(folder: string, name: string): Promise<string> {
  const { name: stem, ext } = path.parse(name);
  for (let n = 1; ; n++) {
    const file = path.join(folder, n === 1 ? name : `${stem}-${n}${ext}`);
    const isFree = await lstat(file).then(
      () => false,
      () => true,
    );
    if (isFree) return file;
  }
}
