import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { globalFlag, isDependency } from '../../files/package-root.js';
import type { NativeAddon, NativeDevice } from '../addon.js';
import { buildFromSource, findLibraries, type Build } from './builds.js';
import { isLibraryInstalled, neededLibraries } from './elf.js';
import { jsonAt } from './packages.js';
import type { GpuChoice, RuntimeInfo } from '../types.js';

export type GpuBackend = Exclude<GpuChoice, 'auto' | 'cpu'>;
export type Backend = RuntimeInfo['backend'];

/** llama.cpp's own names of its backends. */
const REGISTERED_NAME: Record<GpuBackend, string> = { cuda: 'CUDA', vulkan: 'Vulkan', metal: 'MTL' };

/** Platforms that have packages of prebuilt GPU libraries. */
const GPU_PLATFORMS = ['linux-x64', 'win-x64'];

/** Where those packages keep them; `-cuda-ext` holds the one for the previous CUDA. */
const GPU_PACKAGES: Record<GpuBackend, readonly { suffix: string; folder: readonly string[] }[]> = {
  cuda: [
    { suffix: '-cuda', folder: [] },
    { suffix: '-cuda-ext', folder: ['fallback'] },
  ],
  vulkan: [{ suffix: '-vulkan', folder: [] }],
  metal: [],
};

/**
 * Makes the backend asked for available, the best one for `auto`, or else the CPU's.
 * @returns the backend to run on and, one line each, why a better or the requested one is not it
 */
export async function chooseBackend(
  addon: NativeAddon,
  build: Build,
  gpu: GpuChoice,
): Promise<{ backend: Backend; fallbacks: string[] }> {
  const fallbacks: string[] = [];
  if (gpu === 'cpu') return { backend: 'cpu', fallbacks };
  const wanted: GpuBackend[] = gpu !== 'auto' ? [gpu] : process.platform === 'darwin' ? ['metal'] : ['cuda', 'vulkan'];
  for (const backend of wanted) {
    if (gpuDevices(addon, backend).length > 0) return { backend, fallbacks };
    const reasons = await loadGpuBackend(addon, build, backend);
    if (gpuDevices(addon, backend).length > 0) return { backend, fallbacks };
    fallbacks.push(...reasons.map((reason) => `${backend}: ${reason}`));
  }
  return { backend: 'cpu', fallbacks };
}

/** Devices of one backend and the CPU's own, which always takes what the other cannot. */
export function devicesOf(addon: NativeAddon, backend: Backend): NativeDevice[] {
  const gpus = backend === 'cpu' ? [] : gpuDevices(addon, backend);
  return [...gpus, ...addon.devices().filter((device) => device.kind === 'cpu')];
}

function gpuDevices(addon: NativeAddon, backend: GpuBackend): NativeDevice[] {
  const isGpu = ({ kind }: NativeDevice): boolean => kind === 'gpu' || kind === 'igpu';
  return addon.devices().filter((device) => device.backend === REGISTERED_NAME[backend] && isGpu(device));
}

/** Tries the libraries there are for a backend, until one has a device; the reasons why each did not. */
async function loadGpuBackend(addon: NativeAddon, build: Build, backend: GpuBackend): Promise<string[]> {
  if ((backend === 'metal') !== (process.platform === 'darwin'))
    return [backend === 'metal' ? 'only on macOS' : 'not on macOS'];
  const platform = build.info?.platform;
  if (platform === undefined)
    return [`not part of this build of the native addon; ${buildFromSource(` --${backend}`)}`];
  if (!GPU_PLATFORMS.includes(platform))
    return [`there is no prebuilt library for ${platform}; ${buildFromSource(` --${backend}`)}`];

  const installed = gpuPackages(backend, platform).filter(({ name }) => findLibraries(build, name));
  if (installed.length === 0)
    return [`${gpuPackageFor(backend, platform)} is not installed: ${installGpu(backend, build)}`];
  const reasons: string[] = [];
  for (const { name, folder } of installed) {
    const found = findGpuLibrary(name, folder, backend, build);
    if ('reason' in found) {
      reasons.push(found.reason);
      continue;
    }
    const { error } = addon.loadBackend(found.path);
    if (gpuDevices(addon, backend).length > 0) break;
    reasons.push(error === null ? 'no device found' : await explainLoadError(found.path, error));
  }
  return reasons;
}

function gpuPackages(backend: GpuBackend, platform: string): { name: string; folder: string }[] {
  return GPU_PACKAGES[backend].map(({ suffix, folder }) => ({
    name: `@node-llama-cpp/${platform}${suffix}`,
    folder: join('bins', `${platform}-${backend}`, ...folder),
  }));
}

/** The package that fits what is installed: the one for the previous CUDA only where that alone is there. */
function gpuPackageFor(backend: GpuBackend, platform: string): string {
  return gpuPackages(backend, platform).at(hasOlderCudaOnly() ? -1 : 0)!.name;
}

/** Whether the runtime of the previous CUDA is installed, and the present one's is not. */
export function hasOlderCudaOnly(): boolean {
  return isLibraryInstalled('libcudart.so.12') === true && isLibraryInstalled('libcudart.so.13') === false;
}

/**
 * How to get the prebuilt library of a GPU backend, which nothing installs unasked; undefined where there is none for the
 * build, or it is installed.
 */
export function howToInstallGpu(backend: GpuBackend, build: Build): string | undefined {
  const platform = build.info?.platform;
  if (platform === undefined || !GPU_PLATFORMS.includes(platform) || backend === 'metal') return undefined;
  const isInstalled = gpuPackages(backend, platform).some(({ name }) => findLibraries(build, name));
  return isInstalled ? undefined : installGpu(backend, build);
}

function installGpu(backend: GpuBackend, { info }: Build): string {
  const name = gpuPackageFor(backend, info!.platform!);
  if (isDependency) return `run "npm install${globalFlag} ${name}@${info!.llama.package}"`;
  return `run "npm run install:gpu -- ${name.slice(`@node-llama-cpp/${info!.platform!}-`.length)}"`;
}

/** The prebuilt libraries of a backend that are installed and fit the build, best first. */
export function prebuiltGpuLibraries(build: Build, backend: GpuBackend): string[] {
  const platform = build.info?.platform;
  if (platform === undefined) return [];
  return gpuPackages(backend, platform).flatMap(({ name, folder }) => {
    const found = findGpuLibrary(name, folder, backend, build);
    return 'path' in found ? [found.path] : [];
  });
}

function findGpuLibrary(
  packageName: string,
  folder: string,
  backend: GpuBackend,
  build: Build,
): { path: string } | { reason: string } {
  const found = findLibraries(build, packageName);
  if (!found) return { reason: `${packageName} is not installed` };
  const version = build.info?.llama.package;
  if (found.version !== version)
    return { reason: `${packageName} is ${found.version}, the addon was built for ${version ?? 'an unknown version'}` };
  const dir = join(found.dir, folder);
  const release = releaseOf(dir);
  if (release !== undefined && release !== build.info?.llama.release)
    return { reason: `${packageName} holds llama.cpp ${release}, the addon ${build.info?.llama.release ?? 'another'}` };
  const path = join(dir, process.platform === 'win32' ? `ggml-${backend}.dll` : `libggml-${backend}.so`);
  return existsSync(path) ? { path } : { reason: `${packageName} has no ${basename(path)}` };
}

/** llama.cpp release of a folder of prebuilt libraries, as node-llama-cpp's own build noted it. */
function releaseOf(dir: string): string | undefined {
  const metadata = jsonAt(join(dir, '_nlcBuildMetadata.json')) as
    { buildOptions?: { llamaCpp?: { release?: string } } } | undefined;
  return metadata?.buildOptions?.llamaCpp?.release;
}

/** The dynamic loader names the first library that is missing; this names them all and who brings them. */
export async function explainLoadError(path: string, error: string): Promise<string> {
  const symbol = /undefined symbol: (\w+)/.exec(error)?.[1];
  if (symbol !== undefined) {
    const provider = providerOfSymbol(symbol);
    const remedy = provider === undefined ? '' : ` (update ${provider})`;
    return `the installed libraries are of another version, they have no ${symbol}${remedy}`;
  }
  const first = /([^\s:]+): cannot open shared object file/.exec(error)?.[1];
  if (first === undefined) return error.replace(/^.*failed to load /, '').replace(/[:\s]+$/, '');
  const needed = await neededLibraries(path);
  const isMissing = (name: string): boolean => !name.startsWith('libggml') && isLibraryInstalled(name) === false;
  const missing = needed.filter((name) => name === first || isMissing(name));
  const names = missing.length > 0 ? missing : [first];
  const providers = [...new Set(names.map(providerOf).filter((provider) => provider !== undefined))];
  return `${names.join(', ')} not found${providers.length > 0 ? ` (install ${providers.join(' and ')})` : ''}`;
}

function providerOfSymbol(symbol: string): string | undefined {
  if (/^cu(?:da|blas)/.test(symbol)) return 'the CUDA runtime';
  if (/^cu[A-Z]/.test(symbol)) return 'the NVIDIA driver';
  return symbol.startsWith('vk') ? 'the Vulkan loader and driver' : undefined;
}

function providerOf(library: string): string | undefined {
  if (library.startsWith('libcuda.so')) return 'the NVIDIA driver';
  if (library.startsWith('libvulkan.so')) return 'a Vulkan loader and driver';
  const [, version] = /^lib(?:cudart|cublas\w*)\.so\.(\d+)/.exec(library) ?? [];
  return version === undefined ? undefined : `the CUDA ${version} runtime`;
}
