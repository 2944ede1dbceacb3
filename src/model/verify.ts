import { defined } from '../base/defined.js';
import { stat } from 'node:fs/promises';
import { GgufError, validatePair } from '../../gguf/index.js';
import { messageOf } from '../base/errors.js';
import { readTextFile } from '../files/json-file.js';
import { freshFileSha256 } from '../files/file-hash.js';
import { requireCatalogModel, resolveModel, type ModelSelection, type ResolvedModel } from './resolve.js';
import { hashPath, placesOf } from './store.js';

export interface FileVerdict {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Who said what the sha256 should be; undefined where nobody did. */
  readonly against: 'catalogue' | 'manifest' | 'pull' | undefined;
}

export interface Verdict {
  readonly name: string;
  readonly files: readonly FileVerdict[];
  /** One line each; empty for a sound model. */
  readonly problems: readonly string[];
}

interface Expected {
  readonly bytes?: number;
  readonly sha256?: string;
  readonly against: NonNullable<FileVerdict['against']>;
}

/**
 * Reads a model's files whole: size and sha256 against whoever published them, else against what was noted when they
 * were pulled, and whether they are a pair that runs.
 *
 * @throws FramewrightError MODEL_NOT_FOUND; the signal's reason
 */
export async function verifyModel(selection: ModelSelection, signal?: AbortSignal): Promise<Verdict> {
  const resolved = await resolveModel(selection);
  const expected = await expectationsOf(selection, resolved);
  const paths = [resolved.textPath, resolved.mmprojPath, ...resolved.loras.map(({ path }) => path)];
  const files: FileVerdict[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    const { size: bytes } = await stat(path).catch((error: unknown) => {
      problems.push(`${path} cannot be read: ${messageOf(error)}`);
      return { size: -1 };
    });
    if (bytes < 0) continue;
    const sha256 = await freshFileSha256(path, signal);
    const published = expected.get(path);
    const hashed = published?.sha256 === undefined ? await notedHash(path) : published;
    files.push({ path, bytes, sha256, against: hashed?.against });
    if (published?.bytes !== undefined && published.bytes !== bytes)
      problems.push(`${path} has ${bytes} bytes, not the ${published.bytes} of the ${published.against}`);
    else if (hashed?.sha256 !== undefined && hashed.sha256 !== sha256)
      problems.push(`${path} has sha256 ${sha256}, not the ${hashed.sha256} of the ${hashed.against}`);
  }
  if (problems.length === 0) problems.push(...(await pairProblems(resolved, signal)));
  return { name: resolved.name, files, problems };
}

async function pairProblems({ textPath, mmprojPath, loras }: ResolvedModel, signal?: AbortSignal): Promise<string[]> {
  try {
    const options = { loras: loras.map(({ path }) => path), ...defined({ signal }) };
    return (await validatePair(textPath, mmprojPath, options)).map(({ message }) => message);
  } catch (error) {
    if (error instanceof GgufError) return [error.message];
    throw error;
  }
}

async function expectationsOf(selection: ModelSelection, resolved: ResolvedModel): Promise<Map<string, Expected>> {
  const expected = new Map<string, Expected>();
  if (resolved.manifest) {
    const { text, mmproj } = resolved.manifest.files;
    expected.set(resolved.textPath, expectationOf(text, 'manifest'));
    if (selection.mmproj === undefined) expected.set(resolved.mmprojPath, expectationOf(mmproj, 'manifest'));
  } else if (!selection.model.toLowerCase().endsWith('.gguf')) {
    const { entry, variant } = await requireCatalogModel(selection.model);
    const { text, mmproj, loras } = placesOf(entry, variant);
    for (const { path, file } of [text, mmproj, ...loras])
      if (file.sha256 !== undefined || file.bytes !== undefined) expected.set(path, expectationOf(file, 'catalogue'));
  }
  return expected;
}

function expectationOf(
  { bytes, sha256 }: { readonly bytes?: number | undefined; readonly sha256?: string | undefined },
  against: Expected['against'],
): Expected {
  return {
    against,
    ...defined({ bytes, sha256 }),
  };
}

async function notedHash(path: string): Promise<Expected | undefined> {
  const noted = await readTextFile(hashPath(path), 'noted sha256', 4096).catch(() => '');
  const sha256 = /^([0-9a-f]{64})\b/.exec(noted)?.[1];
  return sha256 === undefined ? undefined : { sha256, against: 'pull' };
}
