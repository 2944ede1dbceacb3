import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../errors.js';
import { packageFile } from '../package-root.js';
import { DEFAULT_USE, readManifest, type Manifest, type ModelUse } from './manifest.js';

/** A model's two files, and how to use them. */
export interface ResolvedModel {
  readonly name: string;
  readonly textPath: string;
  readonly mmprojPath: string;
  readonly use: ModelUse;
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
  const folder = BUNDLED_MODELS[model] ?? (existsSync(path.join(model, MANIFEST)) ? model : undefined);
  if (folder) return fromManifest(folder, mmproj);
  if (!model.toLowerCase().endsWith('.gguf')) {
    throw new FramewrightError(
      'MODEL_NOT_FOUND',
      `no model is called "${model}"; use ${Object.keys(BUNDLED_MODELS).join(', ')} or the path of a Qwen2.5-VL .gguf file`,
    );
  }
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
    use: DEFAULT_USE,
  };
}

async function fromManifest(folder: string, mmproj: string | undefined): Promise<ResolvedModel> {
  const manifest = await readManifest(path.join(folder, MANIFEST));
  return {
    name: manifest.name,
    textPath: path.join(folder, manifest.files.text.name),
    mmprojPath: mmproj ?? path.join(folder, manifest.files.mmproj.name),
    use: manifest,
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
