import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ModelFamily } from '../../gguf/index.js';
import { bytesText } from '../base/bytes-text.js';
import { FramewrightError } from '../base/errors.js';
import { nearestWord } from '../base/nearest.js';
import { packageFile } from '../files/package-root.js';
import type { LoraSpec } from '../runtime/types.js';
import { CATALOG, findInCatalog, variantBytes, type CatalogEntry, type ModelVariant } from './catalog.js';
import { readCatalog } from './catalog-file.js';
import { DEFAULT_USE, defaultUse, readManifest, useOf, type Manifest, type ModelUse } from './manifest.js';
import { placesOf, stateOf } from './store.js';

/** A model's two files, its adapters, and how to use them. */
export interface ResolvedModel {
  readonly name: string;
  readonly textPath: string;
  readonly mmprojPath: string;
  /** Those that belong to the model; the caller's own come on top. */
  readonly loras: readonly LoraSpec[];
  readonly use: ModelUse;
  /** Nothing says how large a picture it wants: `use` has a Qwen2.5-VL's until the family is known; see `useIn`. */
  readonly isBudgetGuessed?: true;
  readonly manifest?: Manifest;
}

export interface ModelSelection {
  /** Name of a model, path of a GGUF text model, or of a folder with a manifest. */
  readonly model: string;
  /** Vision file; default: the manifest's, else the only `*mmproj*.gguf` beside the text model. */
  readonly mmproj?: string;
}

const MANIFEST = 'manifest.json';

/** Models that come with the package, by name. */
export const BUNDLED_MODELS: Readonly<Record<string, string>> = { nano: packageFile('gguf', 'nano') };

/** Finds the files a user means. Looks at names only: whether they hold a working model is for validation to say. */
export async function resolveModel({ model, mmproj }: ModelSelection): Promise<ResolvedModel> {
  const bundled = Object.hasOwn(BUNDLED_MODELS, model) ? BUNDLED_MODELS[model] : undefined;
  const folder = bundled ?? (existsSync(path.join(model, MANIFEST)) ? model : undefined);
  if (folder) return fromManifest(folder, mmproj);
  if (!model.toLowerCase().endsWith('.gguf')) return fromCatalog(await requireCatalogModel(model), mmproj);
  if (!existsSync(model)) throw new FramewrightError('MODEL_NOT_FOUND', `the model file ${model} does not exist`);
  const beside = path.join(path.dirname(model), MANIFEST);
  if (existsSync(beside)) {
    const fromBeside = await fromManifest(path.dirname(model), mmproj);
    if (path.resolve(fromBeside.textPath) === path.resolve(model)) return fromBeside;
  }
  return {
    name: path.basename(model, '.gguf'),
    textPath: model,
    mmprojPath: mmproj ?? (await findMmproj(model)),
    loras: [],
    use: DEFAULT_USE,
    isBudgetGuessed: true,
  };
}

/** How the model is used, once the family is known that its header names. */
export function useIn({ use, isBudgetGuessed }: ResolvedModel, family: ModelFamily): ModelUse {
  return isBudgetGuessed ? { ...use, pixelBudget: defaultUse(family).pixelBudget } : use;
}

/**
 * A model of the catalogue by `name` or `name:variant`, downloaded or not. The user's own catalogue is only read for
 * names that are not built in.
 *
 * @throws FramewrightError MODEL_NOT_FOUND
 */
export async function requireCatalogModel(model: string): Promise<{ entry: CatalogEntry; variant: ModelVariant }> {
  if (Object.hasOwn(BUNDLED_MODELS, model)) {
    throw new FramewrightError(
      'MODEL_NOT_FOUND',
      `the model ${model} comes with the package: there is nothing to download`,
    );
  }
  const builtIn = findInCatalog(CATALOG, model);
  const entries = builtIn ? CATALOG : await readCatalog();
  const found = builtIn ?? findInCatalog(entries, model);
  if (!found) {
    const names = [...Object.keys(BUNDLED_MODELS), ...entries.map(({ name }) => name)];
    const near = nearestWord(model, names);
    throw new FramewrightError(
      'MODEL_NOT_FOUND',
      `no model is called "${model}"; ${near === undefined ? '' : `did you mean ${near}? `}use ${names.join(', ')} ` +
        'or the path of a Qwen-VL .gguf file',
    );
  }
  const { entry, variant } = found;
  if (variant) return { entry, variant };
  const variants = entry.variants.map(({ name }) => `${entry.name}:${name}`);
  throw new FramewrightError('MODEL_NOT_FOUND', `there is no ${model}; there are ${variants.join(', ')}`);
}

/** `name`, or `name:variant` where it is not the one the bare name means. */
export function catalogName(entry: CatalogEntry, variant: ModelVariant): string {
  return variant === entry.variants[0] ? entry.name : `${entry.name}:${variant.name}`;
}

function fromCatalog(
  { entry, variant }: { entry: CatalogEntry; variant: ModelVariant },
  mmproj: string | undefined,
): ResolvedModel {
  const places = placesOf(entry, variant);
  const name = catalogName(entry, variant);
  if (stateOf(places) !== 'ready') throw notThere(entry, variant, name);
  return {
    name,
    textPath: places.text.path,
    mmprojPath: mmproj ?? places.mmproj.path,
    loras: places.loras.map((lora) => ({ path: lora.path, scale: lora.scale })),
    use: entry.use,
    ...(entry.isBudgetGuessed && { isBudgetGuessed: true }),
  };
}

function notThere(entry: CatalogEntry, variant: ModelVariant, name: string): FramewrightError {
  const places = placesOf(entry, variant);
  const gone = [places.text, places.mmproj, ...places.loras].find(
    ({ file, path: place }) => 'path' in file.from && !existsSync(place),
  );
  if (gone)
    return new FramewrightError(
      'MODEL_NOT_FOUND',
      `the file ${gone.path} of the model ${name} does not exist; correct ${entry.source}`,
    );
  const partly = stateOf(places) === 'partial' ? 'only partly downloaded' : 'not downloaded';
  const size = variantBytes(variant);
  return new FramewrightError(
    'MODEL_NOT_FOUND',
    `the model ${name} (${variant.name}${size > 0 ? `, ${bytesText(size)}` : ''}) is ${partly}; run "framewright model pull ${name}", ` +
      `or first "framewright model plan ${name}" to see what it would run on here`,
  );
}

async function fromManifest(folder: string, mmproj: string | undefined): Promise<ResolvedModel> {
  const manifest = await readManifest(path.join(folder, MANIFEST));
  return {
    name: manifest.name,
    textPath: path.join(folder, manifest.files.text.name),
    mmprojPath: mmproj ?? path.join(folder, manifest.files.mmproj.name),
    loras: [],
    use: useOf(manifest, folder),
    manifest,
  };
}

async function findMmproj(model: string): Promise<string> {
  const folder = path.dirname(model);
  const found = (await readdir(folder)).filter((name) => /mmproj.*\.gguf$/i.test(name));
  if (found.length === 1) return path.join(folder, found[0]!);
  throw new FramewrightError(
    'MODEL_NOT_FOUND',
    found.length === 0
      ? `no mmproj .gguf beside ${model}; name the vision file with --mmproj`
      : `${String(found.length)} mmproj files beside ${model} (${found.join(', ')}); name one with --mmproj`,
  );
}
