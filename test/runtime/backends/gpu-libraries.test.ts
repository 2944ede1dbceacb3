import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainLoadError } from '../../../src/runtime/backends/backends.js';
import { isLibraryInstalled, neededLibraries } from '../../../src/runtime/backends/elf.js';
import type { GpuChoice, RuntimeInfo } from '../../../src/runtime/types.js';
import { projectDir } from '../../build/sandbox.js';
import { gpuLibrary } from '../../support/gpu-packages.js';
import { declareWhere, describeWith } from '../../support/system-tools.js';

const builtModule = new URL('../../../dist/src/runtime/binding.js', import.meta.url).href;
const CUDA = gpuLibrary('linux-x64-cuda', 'linux-x64-cuda', 'libggml-cuda.so');
const OLDER_CUDA = gpuLibrary('linux-x64-cuda-ext', 'linux-x64-cuda', 'fallback', 'libggml-cuda.so');
const VULKAN = gpuLibrary('linux-x64-vulkan', 'linux-x64-vulkan', 'libggml-vulkan.so');
// A build from source is preferred where there is one, and takes no prebuilt backend.
const isPrebuilt = !existsSync(join(projectDir, 'build', 'source'));
const isPossible = CUDA !== undefined && OLDER_CUDA !== undefined && VULKAN !== undefined && isPrebuilt;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framewright-gpu-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Libraries of a GPU's makers that a backend needs: what is neither C's own nor llama.cpp's. */
async function vendorLibraries(backend: string): Promise<string[]> {
  return (await neededLibraries(backend)).filter((name) => /^lib(?:cu|vulkan)/.test(name));
}

/** A folder with empty libraries of these names: found by the loader, without a single function. */
function emptyLibraries(names: readonly string[]): string {
  const folder = mkdtempSync(join(dir, 'libraries-'));
  mkdirSync(join(dir, 'made'), { recursive: true });
  for (const name of names) {
    const made = join(dir, 'made', name);
    if (!existsSync(made)) execFileSync('cc', ['-shared', '-x', 'c', '/dev/null', `-Wl,-soname,${name}`, '-o', made]);
    copyFileSync(made, join(folder, name));
  }
  return folder;
}

/** What the loader makes of it in a process that has loaded nothing yet. */
async function chooseWith(gpu: GpuChoice, folder: string): Promise<RuntimeInfo> {
  const program = `
    const { loadBinding } = await import(${JSON.stringify(builtModule)});
    console.log(JSON.stringify((await loadBinding({ gpu: ${JSON.stringify(gpu)} })).info));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, LD_LIBRARY_PATH: folder },
  });
  return JSON.parse(stdout) as RuntimeInfo;
}

declareWhere(
  isPossible,
  'prebuilt GPU backends',
  'their packages, which npm run test:gpu installs, and no source build',
  () => {
    describeWith(['cc'], 'a prebuilt GPU backend', () => {
      test('with one of its libraries missing is refused with that one by name, and the CPU runs', async () => {
        for (const [gpu, backend] of [
          ['cuda', CUDA!],
          ['vulkan', VULKAN!],
        ] as const) {
          const needed = await vendorLibraries(backend);
          expect(needed.length).toBeGreaterThan(0);
          for (const missing of needed.filter((name) => isLibraryInstalled(name) === false)) {
            const others = needed.filter((name) => name !== missing);
            const { backend: used, fallbacks } = await chooseWith(gpu, emptyLibraries(others));
            expect(used).toBe('cpu');
            expect(fallbacks[0]).toMatch(
              new RegExp(`^${gpu}: ${missing.replaceAll('.', '\\.')} not found \\(install `),
            );
          }
        }
      });

      test('with libraries that lack what it calls is refused with the first function and who brings it', async () => {
        const libraries = [...(await vendorLibraries(CUDA!)), ...(await vendorLibraries(OLDER_CUDA!))];
        const { backend, fallbacks } = await chooseWith('cuda', emptyLibraries(libraries));
        expect(backend).toBe('cpu');
        expect(fallbacks).toHaveLength(2);
        for (const reason of fallbacks)
          expect(reason).toMatch(
            /^cuda: the installed libraries are of another version, they have no cu\w+ \(update the /,
          );
        const vulkan = await chooseWith('vulkan', emptyLibraries(await vendorLibraries(VULKAN!)));
        expect(vulkan.backend).toBe('cpu');
        expect(vulkan.fallbacks).toEqual([
          expect.stringMatching(/they have no vk\w+ \(update the Vulkan loader and driver\)$/),
        ]);
      });

      test('asked for by auto: CUDA 13, CUDA 12 and Vulkan in turn, then the CPU with every reason', async () => {
        const libraries = await Promise.all([CUDA!, OLDER_CUDA!, VULKAN!].map(vendorLibraries));
        const { backend, fallbacks, devices } = await chooseWith('auto', emptyLibraries(libraries.flat()));
        expect(backend).toBe('cpu');
        expect(fallbacks.map((reason) => reason.split(':', 1)[0])).toEqual(['cuda', 'cuda', 'vulkan']);
        expect(devices.map(({ name }) => name)).toEqual(['CPU']);
      });
    });
  },
);

test('an undefined symbol is explained by who should have it', async () => {
  const explain = (symbol: string): Promise<string> => explainLoadError('x.so', `x.so: undefined symbol: ${symbol}`);
  expect(await explain('cuMemCreate')).toMatch(/no cuMemCreate \(update the NVIDIA driver\)$/);
  expect(await explain('cudaMalloc')).toMatch(/\(update the CUDA runtime\)$/);
  expect(await explain('vkCreateInstance')).toMatch(/\(update the Vulkan loader and driver\)$/);
  expect(await explain('_ZN3foo')).toMatch(/they have no _ZN3foo$/);
});
