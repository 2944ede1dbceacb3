import { extname } from 'node:path';

const RAW_EXTENSIONS = new Set(
  (
    '3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef ptx r3d raf raw ' +
    'rw2 rwl rwz sr2 srf srw x3f'
  ).split(' '),
);

export function isRawExtension(name: string): boolean {
  return RAW_EXTENSIONS.has(extname(name).slice(1).toLowerCase());
}

/** Not built as a TIFF, in which alone a preview is looked for. */
const OTHER_BUILD = new Set('cr3 crw mdc mrw orf raf raw rw2 rwl x3f'.split(' '));

/** Whether a file called so may have a preview that can be cropped in its place. */
export function mayHavePreview(name: string): boolean {
  return isRawExtension(name) && !OTHER_BUILD.has(extname(name).slice(1).toLowerCase());
}

/** "CR" after the TIFF header. */
const CANON_CR2 = 0x4352;

const NEW_SUBFILE_TYPE = 254;
const PHOTOMETRIC = 262;
const SUB_IFDS = 330;
const DNG_VERSION = 50706;
const CFA = 32803;
const LINEAR_RAW = 34892;

/**
 * Whether a TIFF is a camera's RAW file in disguise (DNG, NEF, ARW, CR2, ...). A TIFF reader would open the small
 * preview in its first directory and take it for the photo. False if the first directory lies outside `bytes`.
 */
export function cameraRawInTiff(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(8) === CANON_CR2) return true;
  const littleEndian = bytes[0] === 0x49;
  if (view.getUint16(2, littleEndian) !== 42) return false; // BigTIFF

  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > bytes.length) return false;
  const nEntries = view.getUint16(directory, littleEndian);
  const values = new Map<number, number>();
  for (let index = 0; index < nEntries; index++) {
    const entry = directory + 2 + 12 * index;
    if (entry + 12 > bytes.length) break;
    const isShort = view.getUint16(entry + 2, littleEndian) === 3;
    const value = isShort ? view.getUint16(entry + 8, littleEndian) : view.getUint32(entry + 8, littleEndian);
    values.set(view.getUint16(entry, littleEndian), value);
  }
  const photometric = values.get(PHOTOMETRIC);
  const firstIsPreview = ((values.get(NEW_SUBFILE_TYPE) ?? 0) & 1) === 1 && values.has(SUB_IFDS);
  return values.has(DNG_VERSION) || photometric === CFA || photometric === LINEAR_RAW || firstIsPreview;
}
