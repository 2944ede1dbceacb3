import { createRequire } from 'node:module';
import { engineChain } from '../base/engine-names.js';
import { FramewrightError } from '../base/errors.js';
import type { CropperOptions } from '../cropper/options.js';
import { fileSha256 } from '../files/file-hash.js';
import { packageFile } from '../files/package-root.js';
import { keyOfSettings } from '../batch/journal/settings-key.js';
import { requireCatalogModel, resolveModel } from '../model/resolve.js';
import type { LoraSpec } from '../runtime/types.js';

/** Bumped when jobs or what is noted of runs change their meaning. */
const FLEET_VERSION = 1;

/** What decides a crop beside the wishes of its run: which engine, and which model. */
export type EngineChoice = Pick<
  CropperOptions,
  'engine' | 'index' | 'model' | 'mmproj' | 'loras' | 'imageTokens' | 'faces'
>;

/** The kind of worker that a run is for. */
export interface MadeFor {
  /** Alike for workers that take each other's jobs: hex. */
  readonly key: string;
  /** The same for people: `framewright 0.1.0, vlm, nano`. */
  readonly words: string;
}

/**
 * Which workers a run is for, or which runs a worker is for: those of this version of framewright with the same engines and
 * the same model, byte for byte. No model is loaded; one of the catalogue need not even be there.
 *
 * @throws FramewrightError as openCropper for an engine or a model there is none of
 */
export async function madeFor(choice: EngineChoice): Promise<MadeFor> {
  const { version } = createRequire(import.meta.url)(packageFile('package.json')) as { version: string };
  const engines = engineChain(choice.engine ?? 'vlm');
  const hasModel = engines.includes('vlm') || engines.includes('retrieval');
  const { model = 'nano', imageTokens, faces = false, index, loras = [] } = choice;
  const files = hasModel ? await modelFiles(choice) : [];
  const adapters = await Promise.all(loras.map(async ({ path, scale = 1 }) => [await fileSha256(path), scale]));
  const archive = index === undefined ? 'bundled' : await fileSha256(index);
  const key = keyOfSettings([FLEET_VERSION, version, engines, faces, archive, files, adapters, imageTokens]);
  const words = [
    `framewright ${version}`,
    engines.join(','),
    ...(hasModel ? [model] : []),
    ...(faces ? ['faces'] : []),
  ];
  return { key: key.slice(0, 16), words: [...words, ...loras.map(({ path }) => path)].join(', ') };
}

/** Hashes of the model's files, with its own adapters. */
async function modelFiles({ model = 'nano', mmproj }: EngineChoice): Promise<unknown[]> {
  try {
    const { textPath, mmprojPath, loras } = await resolveModel({ model, ...(mmproj === undefined ? {} : { mmproj }) });
    const hashes = [await fileSha256(textPath), await fileSha256(mmprojPath)];
    return [...hashes, ...(await Promise.all(loras.map(hashOfLora)))];
  } catch (error) {
    // Whoever submits need not have what only workers use.
    if (!(error instanceof FramewrightError) || error.code !== 'MODEL_NOT_FOUND' || mmproj !== undefined) throw error;
    const { variant } = await requireCatalogModel(model).catch(() => {
      throw error;
    });
    const { text, mmproj: vision, loras } = variant;
    const files = [text, vision, ...loras.map(({ file }) => file)];
    if (files.some(({ sha256 }) => sha256 === undefined)) throw error;
    return [text.sha256, vision.sha256, ...loras.map(({ file, scale }) => [file.sha256, scale])];
  }
}

async function hashOfLora({ path, scale = 1 }: LoraSpec): Promise<unknown> {
  return [await fileSha256(path), scale];
}
