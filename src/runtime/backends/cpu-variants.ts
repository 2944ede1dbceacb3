import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import type { NativeAddon } from '../addon.js';

/** One of the CPU backend's libraries: the same code, compiled for one kind of processor. */
export interface CpuVariant {
  /** ggml's own name of it, e.g. `haswell`. */
  readonly name: string;
  readonly path: string;
  readonly isExecutable: boolean;
}

const CPU_LIBRARY = /^(?:lib)?ggml-cpu-(.+)\.(?:so|dll|dylib)$/;
const LIBRARY = /^(?:lib)?ggml-(?!base\b).+\.(?:so|dll|dylib)$/;

/** The variants in a folder of backends: those this processor can execute first, the best before all. */
export function cpuVariantsIn(addon: NativeAddon, folder: string): CpuVariant[] {
  return readdirSync(folder)
    .flatMap((file) => {
      const name = nameOf(file);
      const path = join(folder, file);
      return name === undefined ? [] : [{ name, path, score: addon.cpuScore(path) }];
    })
    .sort((a, b) => b.score - a.score || a.name.localeCompare(b.name))
    .map(({ name, path, score }) => ({ name, path, isExecutable: score > 0 }));
}

/** Name of the variant in use; undefined if it is the only one of its build. */
export function cpuVariantInUse(addon: NativeAddon): string | undefined {
  return nameOf(basename(addon.cpuLibrary()));
}

/**
 * Loads a folder's backends as `NativeAddon.loadBackends` does, with the CPU backend in the variant asked for.
 * @throws FramewrightError USAGE if there is no such variant, it cannot be executed, or the process has another already
 */
export function loadBackendsWith(addon: NativeAddon, folder: string, wanted: string | undefined): string[] {
  if (wanted === undefined) return addon.loadBackends(folder, '');
  const variant = findVariant(cpuVariantsIn(addon, folder), wanted);
  addon.loadBackends(folder, variant.path);
  for (const file of readdirSync(folder)) {
    if (LIBRARY.test(file) && nameOf(file) === undefined) addon.loadBackend(join(folder, file));
  }
  const used = cpuVariantInUse(addon);
  if (used !== wanted)
    throw new FramewrightError(
      'USAGE',
      `cannot compute with the CPU variant ${wanted}: this process uses ${used ?? 'a build from source'} already, and a ` +
        'process has one; ask for it where the first runtime is opened, or set FRAMEWRIGHT_CPU before the start',
    );
  return addon.loadBackends(folder, variant.path);
}

function findVariant(variants: readonly CpuVariant[], wanted: string): CpuVariant {
  const variant = variants.find(({ name }) => name === wanted);
  if (variant?.isExecutable) return variant;
  const refused = `cannot compute with the CPU variant ${wanted}`;
  if (variants.length === 0)
    throw new FramewrightError(
      'USAGE',
      `${refused}: a build from source has only the one it was compiled as; leave out the option cpu and FRAMEWRIGHT_CPU`,
    );
  const names = (isExecutable: boolean): string =>
    variants
      .filter((each) => each.isExecutable === isExecutable)
      .map(({ name }) => name)
      .join(', ');
  throw new FramewrightError(
    'USAGE',
    variant
      ? `${refused}: this processor lacks instructions it uses; it can execute ${names(true)}`
      : `${refused}: there is none of this name; this processor can execute ${names(true)}` +
          (names(false) === '' ? '' : `, and cannot ${names(false)}`),
  );
}

function nameOf(file: string): string | undefined {
  return CPU_LIBRARY.exec(file)?.[1];
}
