import { existsSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { CatalogEntry, ModelFile, ModelVariant } from './catalog.js';
import { cacheFolder } from '../files/cache-folder.js';

/** Where pulled models lie: `$FRAMEWRIGHT_MODELS`, else `models` in the user's cache folder. */
export function modelsFolder(): string {
  const own = process.env.FRAMEWRIGHT_MODELS;
  return own === undefined || own === '' ? path.join(cacheFolder(), 'models') : path.resolve(own);
}

/** A file of the catalogue with its place on this machine, whether it is there or not. */
export interface StoredFile {
  readonly file: ModelFile;
  readonly path: string;
}

/** The text model, the vision file and the adapters of a variant. Variants of an entry share a folder, and so a vision file. */
export interface StoredModel {
  readonly text: StoredFile;
  readonly mmproj: StoredFile;
  readonly loras: readonly (StoredFile & { readonly scale: number })[];
}

export function placesOf(entry: CatalogEntry, { text, mmproj, loras }: ModelVariant): StoredModel {
  const place = (file: ModelFile): StoredFile => ({
    file,
    path: 'path' in file.from ? file.from.path : path.join(modelsFolder(), file.folder ?? entry.name, file.name),
  });
  return {
    text: place(text),
    mmproj: place(mmproj),
    loras: loras.map(({ file, scale }) => ({ ...place(file), scale })),
  };
}

export function filesOf({ text, mmproj, loras }: StoredModel): readonly StoredFile[] {
  return [text, mmproj, ...loras];
}

/** `partial`: some of it is there, or a pull was interrupted. */
export type StoredState = 'ready' | 'partial' | 'absent';

/** Looks at names and sizes only; `framewright model verify` reads the files. */
export function stateOf(model: StoredModel): StoredState {
  const files = filesOf(model);
  const nThere = files.filter(({ path: place, file }) => isThere(place, file)).length;
  if (nThere === files.length) return 'ready';
  return nThere > 0 || files.some(({ path: place }) => existsSync(partPath(place))) ? 'partial' : 'absent';
}

function isThere(place: string, { bytes }: ModelFile): boolean {
  const found = statOf(place);
  return found?.isFile() === true && (bytes === undefined || found.size === bytes);
}

/** What cannot be looked at (a path too long, a folder closed to us) cannot be used, and is not there. */
function statOf(place: string): Stats | undefined {
  try {
    return statSync(place);
  } catch {
    return undefined;
  }
}

/** What is downloaded of a file so far. */
export function partPath(place: string): string {
  return `${place}.part`;
}

/** Where a pull notes the sha256 of what it brought, in the form of `sha256sum`. */
export function hashPath(place: string): string {
  return `${place}.sha256`;
}
