import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { FramewrightError, messageOf } from '../base/errors.js';
import type { NativeAddon } from './addon.js';
import { chooseBackend, devicesOf } from './backends/backends.js';
import { BUILD_FROM_SOURCE, findBuilds, findLibraries, REBUILD, type Build } from './backends/builds.js';
import { cpuVariantInUse, cpuVariantsIn, loadBackendsWith, type CpuVariant } from './backends/cpu-variants.js';
import type { RuntimeInfo, RuntimeOptions } from './types.js';

export interface Binding {
  readonly addon: NativeAddon;
  /** `devices` are those of `backend` and the CPU; the addon may know more. */
  readonly info: RuntimeInfo;
  /** The CPU backend's variants, those this processor can execute first, the best before all; none in a source build. */
  readonly cpuVariants: () => CpuVariant[];
}

/**
 * Loads the native addon (an explicit path, else a source build, one compiled here, or one that a package brought), the CPU backends, and the
 * GPU backend asked for. A GPU backend that cannot be had is no error: `info.fallbacks` says why.
 *
 * May be called any number of times, also from worker_threads: libraries are loaded once a process.
 * @throws FramewrightError NATIVE_LOAD with the remedy for its cause, USAGE for a CPU variant that cannot be had
 */
export async function loadBinding(options: RuntimeOptions = {}): Promise<Binding> {
  const { builds, skipped } = findBuilds(options.addonPath ?? fromEnvironment('FRAMEWRIGHT_ADDON'));
  const { addon, build, failed } = loadFirst(builds, options.cpu ?? fromEnvironment('FRAMEWRIGHT_CPU'));
  const { backend, fallbacks } = await chooseBackend(addon, build, options.gpu ?? 'auto');
  const info: RuntimeInfo = {
    llamaVersion: build.info?.llama.release ?? addon.versions().llama,
    addonPath: build.addonPath,
    build: build.kind,
    backend,
    fallbacks: [...skipped, ...failed, ...fallbacks],
    devices: devicesOf(addon, backend).map(({ name, description, kind, memoryFreeBytes, memoryTotalBytes }) => ({
      name,
      description,
      kind,
      memoryFreeBytes,
      memoryTotalBytes,
    })),
    cpuVariant: cpuVariantInUse(addon),
    hostFormats: addon.hostFormats(),
  };
  return { addon, info, cpuVariants: () => cpuVariantsIn(addon, backendFolder(build)) };
}

function fromEnvironment(name: 'FRAMEWRIGHT_ADDON' | 'FRAMEWRIGHT_CPU'): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** The first build that loads, with the reasons of those before it. The last one's reason is the error. */
function loadFirst(
  builds: readonly Build[],
  cpu: string | undefined,
): { addon: NativeAddon; build: Build; failed: string[] } {
  const failed: string[] = [];
  for (const build of builds.slice(0, -1)) {
    try {
      return { addon: loadBuild(build, cpu), build, failed };
    } catch (error) {
      // Another build would have other variants, but nobody asked for another build.
      if (error instanceof FramewrightError && error.code === 'USAGE') throw error;
      failed.push(`${build.kind} build: ${messageOf(error)}`);
    }
  }
  const build = builds.at(-1)!;
  return { addon: loadBuild(build, cpu), build, failed };
}

function loadBuild(build: Build, cpu: string | undefined): NativeAddon {
  const { addonPath, info } = build;
  const backendDir = backendFolder(build);
  let addon: NativeAddon;
  // The dynamic loader of Windows knows no paths of an addon's own.
  if (process.platform === 'win32' && build.kind === 'prebuilt')
    process.env.PATH = `${backendDir}${delimiter}${process.env.PATH ?? ''}`;
  try {
    // The module cache of require makes a second load in the same thread free.
    addon = createRequire(import.meta.url)(addonPath) as NativeAddon;
    addon.init();
  } catch (error) {
    throw new FramewrightError('NATIVE_LOAD', explainAddonError(addonPath, messageOf(error)), { cause: error });
  }
  if (!loadBackendsWith(addon, backendDir, cpu).includes('CPU'))
    throw new FramewrightError(
      'NATIVE_LOAD',
      `llama.cpp ${info?.llama.release ?? ''} has no CPU backend for this machine in ${backendDir}: ${BUILD_FROM_SOURCE}`,
    );
  return addon;
}

/** Folder of the CPU backends that belong to a build: the platform package's, or the build's own. */
function backendFolder(build: Build): string {
  const { addonPath, info } = build;
  if (info?.platform === undefined) return dirname(addonPath);
  const name = `@node-llama-cpp/${info.platform}`;
  const found = findLibraries(build, name);
  if (!found)
    throw new FramewrightError(
      'NATIVE_LOAD',
      `${name}, which holds llama.cpp's libraries, is not installed: ${REBUILD}`,
    );
  if (found.version !== info.llama.package)
    throw new FramewrightError(
      'NATIVE_LOAD',
      `the native addon was built for ${name} ${info.llama.package}, and ${found.version} is installed: ${REBUILD}`,
    );
  return join(found.dir, 'bins', info.platform);
}

/** The dynamic loader's reason with the remedy for it. */
function explainAddonError(addonPath: string, reason: string): string {
  const text = `cannot load the native addon ${addonPath}: ${reason.split('\n', 1)[0] ?? reason}`;
  if (/GLIBC(?:XX)?_[\d.]+' not found|ld-linux|libc\.musl/.test(reason))
    return `${text}: it needs a newer C or C++ library than this system's: ${BUILD_FROM_SOURCE}`;
  return `${text}: ${REBUILD}`;
}
