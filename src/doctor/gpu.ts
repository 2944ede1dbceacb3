import { loadBinding } from '../runtime/binding.js';
import {
  hasOlderCudaOnly,
  howToInstallGpu,
  prebuiltGpuLibraries,
  type GpuBackend,
} from '../runtime/backends/backends.js';
import { findBuilds, type Build } from '../runtime/backends/builds.js';
import { isLibraryInstalled, neededLibraries } from '../runtime/backends/elf.js';
import type { Finding } from './finding.js';
import { gigabytes, graphicsAdapters, type GpuVendor } from './machine.js';

/** A family of libraries a GPU backend links to, and how to get it. */
const PROVIDERS: readonly { readonly library: RegExp; readonly remedy: (match: RegExpExecArray) => string }[] = [
  {
    library: /^libcuda\.so/,
    remedy: () =>
      'the NVIDIA driver: install it with the package manager (Debian: nvidia-driver; Ubuntu: ubuntu-drivers install), ' +
      'or start the container with --gpus all (NVIDIA Container Toolkit)',
  },
  {
    library: /^lib(?:cudart|cublas\w*)\.so\.(\d+)/,
    remedy: ([, version]) =>
      `the CUDA ${version} runtime: install cuda-cudart-${version}-* and libcublas-${version}-* from ` +
      "NVIDIA's repository, https://developer.nvidia.com/cuda-downloads",
  },
  {
    library: /^libvulkan\.so/,
    remedy: () =>
      'the Vulkan loader: install libvulkan1 (Debian, Ubuntu), vulkan-loader (Fedora) or vulkan-icd-loader (Arch)',
  },
];

/** How to get a shared library a GPU backend needs. */
export function remedyFor(library: string): string {
  for (const { library: pattern, remedy } of PROVIDERS) {
    const match = pattern.exec(library);
    if (match) return `${library} comes with ${remedy(match)}`;
  }
  return `${library}: install the package of your system that has it`;
}

/** The GPU backends there are for this system, each with why it is not usable, if so. */
export async function checkGpus(
  wanted: string,
  adapters: readonly GpuVendor[] | undefined = graphicsAdapters(),
): Promise<Finding[]> {
  const backends: readonly GpuBackend[] = process.platform === 'darwin' ? ['metal'] : ['cuda', 'vulkan'];
  const findings: Finding[] = [checkAdapters(adapters)];
  for (const backend of backends) findings.push(await checkBackend(backend, wanted, adapters));
  return findings;
}

function checkAdapters(adapters: readonly GpuVendor[] | undefined): Finding {
  const summary =
    adapters === undefined
      ? 'this system does not list its graphics adapters'
      : adapters.length > 0
        ? `graphics adapters: ${adapters.join(', ')}`
        : 'no graphics adapter: models run on the CPU';
  return { check: 'adapters', status: 'ok', summary };
}

async function checkBackend(
  backend: GpuBackend,
  wanted: string,
  adapters: readonly GpuVendor[] | undefined,
): Promise<Finding> {
  const { info } = await loadBinding({ gpu: backend });
  if (info.backend === backend) {
    const gpus = info.devices.filter(({ kind }) => kind !== 'cpu');
    const text = gpus.map(
      ({ name, description, memoryFreeBytes, memoryTotalBytes }) =>
        `${name}: ${description}, ${gigabytes(memoryFreeBytes)} of ${gigabytes(memoryTotalBytes)} free`,
    );
    return { check: backend, status: 'ok', summary: `${backend} runs`, details: text };
  }
  const isPresent =
    adapters === undefined ||
    adapters.some((vendor) => vendor === 'NVIDIA' || (backend !== 'cuda' && vendor !== 'other'));
  const isWanted = wanted === backend;
  const details = info.fallbacks
    .filter((line) => line.startsWith(`${backend}: `))
    .map((line) => line.slice(backend.length + 2));
  const isConcerned = isPresent || isWanted;
  const command = isConcerned ? installCommand(backend) : undefined;
  const missing = isConcerned ? await missingLibraries(backend) : [];
  const remedies = [...(command === undefined ? [] : [command]), ...missing.map(remedyFor)];
  return {
    check: backend,
    status: isWanted ? 'problem' : isPresent ? 'warning' : 'note',
    summary: `${backend} is not in use${isPresent ? '' : `: there is no ${backend === 'cuda' ? 'NVIDIA GPU' : 'GPU'} here`}`,
    ...(isConcerned ? { details } : {}),
    ...(remedies.length > 0
      ? { remedies }
      : details.includes('no device found')
        ? { remedies: [noDeviceRemedy(backend)] }
        : {}),
  };
}

function noDeviceRemedy(backend: GpuBackend): string {
  return backend === 'cuda'
    ? 'the libraries are there and the driver shows no GPU: see whether "nvidia-smi" does'
    : 'the loader is there and no driver shows a GPU: install mesa-vulkan-drivers or the driver of the GPU\'s maker, and see "vulkaninfo --summary"';
}

/** What a backend's libraries need of the GPU's makers, for when none of them is installed to be asked. */
const VENDOR_LIBRARIES: Record<GpuBackend, readonly string[]> = {
  cuda: ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13'],
  vulkan: ['libvulkan.so.1'],
  metal: [],
};

/** Libraries the dynamic loader would not find, of the prebuilt backend that lacks the fewest. */
export async function missingLibraries(backend: GpuBackend): Promise<string[]> {
  const build = firstBuild();
  if (!build) return [];
  const isMissing = (name: string): boolean => !name.startsWith('libggml') && isLibraryInstalled(name) === false;
  const needed = await Promise.all(prebuiltGpuLibraries(build, backend).map(neededLibraries));
  if (needed.length === 0 && howToInstallGpu(backend, build) !== undefined) needed.push(vendorLibraries(backend));
  return needed.map((names) => names.filter(isMissing)).sort((a, b) => a.length - b.length)[0] ?? [];
}

/** Those of the runtime that is here, where the previous CUDA's is and the present one's is not. */
function vendorLibraries(backend: GpuBackend): string[] {
  return VENDOR_LIBRARIES[backend].map((name) => (hasOlderCudaOnly() ? name.replace(/\.13$/, '.12') : name));
}

function installCommand(backend: GpuBackend): string | undefined {
  const build = firstBuild();
  return build && howToInstallGpu(backend, build);
}

function firstBuild(): Build | undefined {
  const explicit = process.env.FRAMEWRIGHT_ADDON;
  return findBuilds(explicit === '' ? undefined : explicit).builds[0];
}
