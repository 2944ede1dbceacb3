import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findLlama } from '../../native/install/packages.mjs';
import { FramewrightError } from '../../src/base/errors.js';
import { chooseBackend, explainLoadError } from '../../src/runtime/backends/backends.js';
import { loadBinding } from '../../src/runtime/binding.js';
import { findBuilds, hashSources, type Build } from '../../src/runtime/backends/builds.js';
import { addonPackageName } from '../../src/runtime/backends/packages.js';
import { neededLibraries } from '../../src/runtime/backends/elf.js';
import { makeSandbox, projectDir } from '../build/sandbox.js';
import { gpuLibrary } from '../support/gpu-packages.js';
import { declareWhere } from '../support/system-tools.js';

const defaultPath = join(projectDir, 'build/Release/framewright.node');
/** For threads and processes that cannot read TypeScript. */
const builtModule = new URL('../../dist/src/runtime/binding.js', import.meta.url).href;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framewright-binding-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A package root with sources and the given builds: folder below build/ to the hash its build info names. */
function makeRoot(name: string, builds: Record<string, string>): string {
  const root = join(dir, name);
  mkdirSync(join(root, 'native/src/binding'), { recursive: true });
  writeFileSync(join(root, 'native/CMakeLists.txt'), 'project(x)');
  writeFileSync(join(root, 'native/src/binding/addon.cpp'), 'int x;');
  for (const [folder, sources] of Object.entries(builds)) {
    mkdirSync(join(root, 'build', folder), { recursive: true });
    writeFileSync(join(root, 'build', folder, 'framewright.node'), '');
    const info = { framewright: '0.1.0', llama: { release: 'v1', package: '1.0.0' }, sources };
    writeFileSync(join(root, 'build', folder, 'framewright.json'), JSON.stringify(info));
  }
  return root;
}

function bringAddon(root: string, version: string): void {
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version: '0.1.0' }));
  const packageDir = join(root, 'node_modules', addonPackageName());
  mkdirSync(packageDir, { recursive: true });
  writeFileSync(join(packageDir, 'package.json'), JSON.stringify({ version }));
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('it does not throw');
}

/** Output of code that uses `loadBinding`, in a process that has loaded nothing yet: two builds in one share libraries. */
function runAlone(code: string): string {
  const program = `const { loadBinding } = await import(${JSON.stringify(builtModule)}); ${code}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}

async function errorOf(promise: Promise<unknown>): Promise<FramewrightError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FramewrightError);
  return error as FramewrightError;
}

describe('the builds to try', () => {
  test('are a current source build, then the default build', () => {
    const current = hashSources(join(makeRoot('both', {}), 'native'));
    const root = makeRoot('both', { source: current, Release: current });
    const { builds, skipped } = findBuilds(undefined, root);
    expect(builds.map(({ kind }) => kind)).toEqual(['source', 'default']);
    expect(skipped).toEqual([]);
  });

  test('leave out a source build that is older than the sources, and say so', () => {
    const { builds, skipped } = findBuilds(undefined, makeRoot('outdated', { source: 'old', Release: 'any' }));
    expect(builds.map(({ kind }) => kind)).toEqual(['default']);
    expect(skipped).toEqual([
      expect.stringMatching(/^source build: older than .*npm run build:native -- --from-source/),
    ]);
  });

  test('are only the explicit one where there is one', () => {
    const { builds } = findBuilds(defaultPath, makeRoot('explicit', { Release: 'any' }));
    expect(builds.map(({ kind, addonPath }) => [kind, addonPath])).toEqual([['explicit', defaultPath]]);
  });

  test('end with the one that a package brings, if it is of this version', () => {
    const current = makeRoot('brought', { Release: 'any' });
    bringAddon(current, '0.1.0');
    expect(findBuilds(undefined, current).builds.map(({ kind }) => kind)).toEqual(['default', 'prebuilt']);
    const older = makeRoot('brought-older', { Release: 'any' });
    bringAddon(older, '0.0.9');
    const { builds, skipped } = findBuilds(undefined, older);
    expect(builds.map(({ kind }) => kind)).toEqual(['default']);
    expect(skipped).toEqual([`prebuilt addon: ${addonPackageName()} is 0.0.9, this is 0.1.0`]);
  });

  test('that are none: why, both ways to get one, and how to do without', () => {
    const root = makeRoot('none', {});
    const messageIn = (): string => (thrownBy(() => findBuilds(undefined, root)) as FramewrightError).message;
    expect(thrownBy(() => findBuilds(undefined, root))).toMatchObject({ code: 'NATIVE_LOAD' });
    expect(messageIn()).toMatch(/is missing \(its install script was not run\): run "npm run install"; --engine rules/);
    const name = addonPackageName();
    const manifest = { version: '0.1.0', optionalDependencies: { [name]: '0.1.0' } };
    writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
    mkdirSync(join(root, 'build'));
    writeFileSync(join(root, 'build/not-built.json'), JSON.stringify({ problem: 'CMake is not installed: get it' }));
    expect(messageIn()).toBe(
      `the native addon, which models run on, is missing (${name} is not installed; it could not be compiled: CMake is ` +
        `not installed: get it): run "npm install ${name}@0.1.0", or mend that and run "npm run install"; --engine rules ` +
        'does without',
    );
  });
});

describe('loading', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('gives the addon, its CPU device and where it came from', async () => {
    const { addon, info } = await loadBinding({ addonPath: defaultPath, gpu: 'cpu' });
    expect(info).toMatchObject({ addonPath: defaultPath, build: 'explicit', backend: 'cpu', fallbacks: [] });
    expect(info.llamaVersion).toMatch(/^v\d/);
    expect(info.devices).toEqual([expect.objectContaining({ name: 'CPU', kind: 'cpu' })]);
    expect(addon.versions().napi).toBe(9);
  });

  test('takes FRAMEWRIGHT_ADDON where that is set and not empty', async () => {
    vi.stubEnv('FRAMEWRIGHT_ADDON', join(dir, 'nowhere.node'));
    expect((await errorOf(loadBinding())).message).toContain('nowhere.node does not exist');
    expect((await loadBinding({ addonPath: defaultPath, gpu: 'cpu' })).info.addonPath).toBe(defaultPath);
    vi.stubEnv('FRAMEWRIGHT_ADDON', '');
    const code = `console.log((await loadBinding({ gpu: 'cpu' })).info.build)`;
    expect(runAlone(code)).toMatch(/^(default|source)$/);
  });

  test('again gives the same addon', async () => {
    const options = { addonPath: defaultPath, gpu: 'cpu' } as const;
    const [first, second] = await Promise.all([loadBinding(options), loadBinding(options)]);
    expect(second.addon).toBe(first.addon);
    expect(second.info.devices.map(({ name }) => name)).toEqual(['CPU']);
  });

  test('works in several worker threads at once', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(builtModule)})
        .then(({ loadBinding }) => loadBinding({ addonPath: ${JSON.stringify(defaultPath)}, gpu: 'cpu' }))
        .then(({ info }) => parentPort.postMessage(info.devices.map(({ name }) => name)));
    `;
    const devicesInWorker = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const worker = new Worker(code, { eval: true });
        worker.on('message', resolve);
        worker.on('error', reject);
      });
    expect(await Promise.all([1, 2, 3].map(devicesInWorker))).toEqual([['CPU'], ['CPU'], ['CPU']]);
  });

  test('an explicit path that does not exist is NATIVE_LOAD and names it', async () => {
    const path = join(dir, 'nowhere.node');
    const error = await errorOf(loadBinding({ addonPath: path }));
    expect(error.code).toBe('NATIVE_LOAD');
    expect(error.message).toContain(`${path} does not exist; correct addonPath or FRAMEWRIGHT_ADDON`);
  });

  test("a file that is no addon is NATIVE_LOAD with the dynamic loader's reason and the remedy", async () => {
    const path = join(dir, 'text.node');
    writeFileSync(path, 'not a library\n');
    const error = await errorOf(loadBinding({ addonPath: path }));
    expect(error.code).toBe('NATIVE_LOAD');
    expect(error.message).toMatch(/cannot load the native addon .*text\.node: .+: run "npm run install"$/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('an addon built for another version of the prebuilt libraries is NATIVE_LOAD and names the command', async () => {
    const path = join(dir, 'other', 'framewright.node');
    mkdirSync(join(dir, 'other'));
    copyFileSync(defaultPath, path);
    const info = JSON.parse(readFileSync(join(projectDir, 'build/Release/framewright.json'), 'utf8')) as object;
    const other = { ...info, llama: { release: 'v0.0.1', package: '1.0.0' } };
    writeFileSync(join(dir, 'other', 'framewright.json'), JSON.stringify(other));
    const error = await errorOf(loadBinding({ addonPath: path }));
    expect(error.code).toBe('NATIVE_LOAD');
    expect(error.message).toMatch(
      /was built for @node-llama-cpp\/\S+ 1\.0\.0, and \S+ is installed: run "npm run install"$/,
    );
  });

  test('an addon without the libraries beside it is NATIVE_LOAD and names the library', () => {
    const path = join(dir, 'alone.node');
    copyFileSync(defaultPath, path);
    // Here the libraries are loaded already, and the dynamic loader would take those.
    const output = runAlone(
      `await loadBinding({ addonPath: ${JSON.stringify(path)} }).catch((e) => console.log(e.code, e.message))`,
    );
    expect(output).toMatch(/^NATIVE_LOAD .*alone\.node: lib\S+: cannot open shared object file/);
  });
});

declareWhere(process.platform === 'linux' && process.arch === 'x64', 'GPU backends', 'Linux x64', () => {
  describe('a GPU backend', () => {
    const cudaLibrary = gpuLibrary('linux-x64-cuda', 'linux-x64-cuda', 'libggml-cuda.so');
    const older = gpuLibrary('linux-x64-cuda-ext', 'linux-x64-cuda', 'fallback', 'libggml-cuda.so');
    const { release, version } = findLlama();

    async function chooseIn(
      root: string,
      gpu: 'cuda' | 'vulkan' | 'metal',
      info?: Partial<NonNullable<Build['info']>>,
    ) {
      const { addon } = await loadBinding({ addonPath: defaultPath, gpu: 'cpu' });
      const [real] = findBuilds(defaultPath).builds;
      return chooseBackend(addon, { ...real!, searched: [root], info: { ...real!.info!, ...info } }, gpu);
    }

    /** A package of GPU libraries with what the build of it noted, and no library. */
    const noted = (name: string, packageVersion: string, llamaRelease: string): Record<string, string> => ({
      'package.json': JSON.stringify({ name, version: packageVersion }),
      'bins/linux-x64-vulkan/_nlcBuildMetadata.json': JSON.stringify({
        buildOptions: { llamaCpp: { release: llamaRelease } },
      }),
    });

    declareWhere(cudaLibrary !== undefined && older !== undefined, 'CUDA libraries', 'npm run test:gpu', () => {
      // `readelf -d <file>`, binutils 2.40.
      test('names the libraries it needs', async () => {
        expect(await neededLibraries(cudaLibrary!)).toEqual([
          'libggml-base.so',
          'libcudart.so.13',
          'libcublas.so.13',
          'libcuda.so.1',
          'libstdc++.so.6',
          'libm.so.6',
          'libgcc_s.so.1',
          'libc.so.6',
        ]);
        expect(await neededLibraries(join(projectDir, 'package.json'))).toEqual([]);
      });

      test('with a library missing is explained by every library that is, and who brings it', async () => {
        const error =
          'load_backend: failed to load x.so: libcudart.so.12: cannot open shared object file: No such file or directory';
        const reason = await explainLoadError(older!, error);
        expect(reason).toMatch(/^libcudart\.so\.12\b.* not found \(install the CUDA 12 runtime\b/);
        expect(reason).not.toMatch(/libc\.so|libstdc|libggml/);
      });
    });

    test('that is asked for is used, or else the CPU with the reason', async () => {
      for (const gpu of ['cuda', 'vulkan'] as const) {
        const { info } = await loadBinding({ addonPath: defaultPath, gpu });
        if (info.backend === gpu) expect(info.devices.some(({ kind }) => kind !== 'cpu')).toBe(true);
        else {
          expect(info.backend).toBe('cpu');
          expect(info.fallbacks.length).toBeGreaterThan(0);
          for (const line of info.fallbacks)
            expect(line).toMatch(new RegExp(`^${gpu}: .*(not found|no device|is not installed: run ".*")`));
        }
      }
    });

    test('whose package is not installed falls back, and says how to get it', async () => {
      const { backend, fallbacks } = await chooseIn(projectDir, 'cuda', { platform: 'win-x64' });
      expect(backend).toBe('cpu');
      expect(fallbacks).toEqual([
        expect.stringMatching(
          /^cuda: @node-llama-cpp\/win-x64-cuda(-ext)? is not installed: run "npm run install:gpu -- cuda(-ext)?"$/,
        ),
      ]);
    });

    test('of another version than the addon is not loaded', async () => {
      const name = '@node-llama-cpp/linux-x64-vulkan';
      const sandbox = makeSandbox({ without: [name], packages: { [name]: noted(name, '3.0.0', release!) } });
      try {
        const { backend, fallbacks } = await chooseIn(sandbox.root, 'vulkan');
        expect(backend).toBe('cpu');
        expect(fallbacks).toEqual([
          expect.stringMatching(/^vulkan: @node-llama-cpp\/linux-x64-vulkan is 3\.0\.0, the addon was built for \d/),
        ]);
      } finally {
        sandbox.remove();
      }
    });

    test('of another llama.cpp than the addon is not loaded', async () => {
      const name = '@node-llama-cpp/linux-x64-vulkan';
      const sandbox = makeSandbox({ without: [name], packages: { [name]: noted(name, version!, release!) } });
      try {
        const { fallbacks } = await chooseIn(sandbox.root, 'vulkan', {
          llama: { release: 'v9.9.9', package: version! },
        });
        expect(fallbacks).toEqual([
          `vulkan: @node-llama-cpp/linux-x64-vulkan holds llama.cpp ${release}, the addon v9.9.9`,
        ]);
      } finally {
        sandbox.remove();
      }
    });

    test('that is not part of a source build names the command that adds it', async () => {
      const { fallbacks } = await chooseIn(projectDir, 'cuda', { platform: undefined });
      expect(fallbacks).toEqual([
        expect.stringMatching(/^cuda: not part of .*npm run build:native -- --from-source --cuda"$/),
      ]);
    });

    test('of another system is refused in a word', async () => {
      expect(await chooseIn(projectDir, 'metal')).toEqual({ backend: 'cpu', fallbacks: ['metal: only on macOS'] });
    });
  });
});
