import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { checkGpus, missingLibraries, remedyFor } from '../../src/doctor/gpu.js';
import { checkMemory, checkNode, graphicsAdapters } from '../../src/doctor/machine.js';
import { loadBinding } from '../../src/runtime/binding.js';
import { isLibraryInstalled } from '../../src/runtime/backends/elf.js';
import { installLine } from '../../src/files/optional-packages.js';
import { packageRoot } from '../../src/files/package-root.js';
import { findPackage } from '../../src/runtime/backends/packages.js';
import { framewright, withoutPackages } from '../cli/run.js';
import { projectFile } from '../support/photos.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-doctor-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Examined {
  readonly code: number | null;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly of: (check: string) => readonly Finding[];
}
async function examined(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Examined> {
  const { code, stdout, stderr } = await framewright(['doctor', '--json', ...args], { env });
  expect(stderr).toBe('');
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  return { code, ok, findings, of: (check) => findings.filter((finding) => finding.check === check) };
}

describe('framewright doctor', () => {
  test('finds everything essential in order here, crops a test photo both ways and exits 0', async () => {
    const { code, ok, of, findings } = await examined();
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    for (const check of ['node', 'system', 'memory', 'sharp', 'addon']) {
      expect(of(check)).toEqual([expect.objectContaining({ status: 'ok' })]);
    }
    expect(of('sharp')[0]!.summary).toMatch(/^sharp \d.*libvips \d.*AVIF/);
    expect(of('addon')[0]!.summary).toMatch(/llama\.cpp v?\d/);
    expect(
      of('crop').map(({ summary }) => /^(engine rules|model nano on \w+) cropped a test photo/.test(summary)),
    ).toEqual([true, true]);
    for (const backend of process.platform === 'darwin' ? ['metal'] : ['cuda', 'vulkan']) {
      expect(of(backend)).toHaveLength(1);
    }
    expect(new Set(findings.map(({ status }) => status))).not.toContain('problem');
  });

  test('says which CPU variant computes and which could, and that a wrong FRAMEWRIGHT_CPU is a problem', async () => {
    const { cpuVariants, info } = await loadBinding({ gpu: 'cpu' });
    const [cpu] = (await examined(['--model', 'none'])).of('cpu');
    expect(cpu!.summary).toContain(`CPU variant ${info.cpuVariant ?? ': the one'}`);
    for (const { name } of cpuVariants()) expect(cpu!.details!.join('\n')).toContain(name);
    const { code, of } = await examined([], { FRAMEWRIGHT_CPU: 'abacus' });
    expect([code, of('cpu')]).toEqual([1, []]);
    expect(of('addon')).toEqual([expect.objectContaining({ status: 'problem' })]);
  });

  test('says the same in words, with what to do behind an arrow', async () => {
    const { code, stdout } = await framewright(['doctor', '--model', 'gone.gguf']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^framewright \d+\.\d+\.\d+\n\nok +Node\.js \d+/);
    expect(stdout).toMatch(/^problem +the model file gone\.gguf does not exist$/m);
    expect(stdout).toMatch(/problems? keeps? Framewright from working\.\n$/);
  });

  test('an addon that is not there is a problem with its remedy, and nothing is cropped', async () => {
    const { code, of } = await examined([], { FRAMEWRIGHT_ADDON: path.join(root, 'none.node') });
    expect(code).toBe(1);
    expect(of('addon')).toEqual([
      expect.objectContaining({
        status: 'problem',
        summary: expect.stringMatching(/none\.node does not exist; correct/) as string,
      }),
    ]);
    expect(of('crop')).toEqual([]);
  });

  test('an addon that ends the process is a problem too, with what it said', async () => {
    const crashing = path.join(root, 'crashing.cjs');
    writeFileSync(crashing, "console.error('driver says no'); process.kill(process.pid, 'SIGILL'); for (;;);");
    const { code, of, findings } = await examined([], { FRAMEWRIGHT_ADDON: crashing });
    expect(code).toBe(1);
    expect(of('addon')).toEqual([
      {
        check: 'addon',
        status: 'problem',
        summary: 'the process that looked at it ended with SIGILL',
        details: ['driver says no'],
        remedies: [expect.stringMatching(/lacks an instruction.*--from-source/)],
      },
    ]);
    expect(findings.some(({ check }) => check === 'model')).toBe(true);
  });

  test('is there even where sharp does not load, and says so; other commands name it', async () => {
    const hooks = path.join(root, 'hooks.mjs');
    const resolve =
      'export const resolve = (name, context, next) => { ' +
      'if (name === "sharp") throw new Error("Could not load sharp"); return next(name, context); };';
    writeFileSync(
      hooks,
      `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(resolve)}`)});`,
    );
    const env = { NODE_OPTIONS: `--import=${hooks}` };
    const { code, of } = await examined([], env);
    expect(code).toBe(1);
    expect(of('sharp')).toEqual([
      {
        check: 'sharp',
        status: 'problem',
        summary: 'sharp does not load: Could not load sharp',
        remedies: ['run "npm install --include=optional sharp"'],
      },
    ]);
    const crop = await framewright(['photo.jpg'], { env });
    expect(crop.code).toBe(1);
    expect(crop.stderr).toMatch(/^framewright: cannot start, "framewright doctor" says more: Could not load sharp/);
  });

  test('what is optional is said to be there, or with what installs it, and its want is no problem', async () => {
    const there = await examined(['--model', 'none']);
    expect(there.of('server')).toEqual([
      {
        check: 'server',
        status: 'ok',
        summary: expect.stringMatching(
          /^framewright serve and studio: fastify 5\.\d+\.\d+, @fastify\/multipart \d+\.\d+\.\d+$/,
        ) as string,
        isOptional: true,
      },
    ]);
    const bin = path.join(root, 'no-programs');
    mkdirSync(bin);
    const env = { ...withoutPackages('@fastify/multipart', 'libheif-js', 'ioredis'), PATH: bin };
    const { code, ok, of, findings } = await examined([], env);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(of('server')).toEqual([
      {
        check: 'server',
        status: 'note',
        summary: 'framewright serve and studio: not installed',
        remedies: [installLine('server')],
        isOptional: true,
      },
    ]);
    const optional = findings.filter(({ isOptional }) => isOptional);
    expect(optional.map(({ check }) => check)).toEqual(['server', 'heic', 'faces', 'fleet', 'buckets', 'lossless']);
    for (const check of ['heic', 'fleet', 'lossless']) expect(of(check)[0]!.status).toBe('note');
    expect(of('lossless')[0]!.remedies).toEqual([expect.stringContaining('apt-get install libjpeg-turbo-progs')]);

    const { stdout } = await framewright(['doctor'], { env });
    const [, below = ''] = stdout.split('\nOptional:\n');
    const lines = below.split('\n').slice(0, optional.length);
    expect(lines[0]).toBe(`  framewright serve and studio: not installed: ${installLine('server')}`);
    expect(lines[1]).toMatch(/^ {2}HEIC photos: not installed: npm install libheif-js@/);
    expect(below.split('\n').slice(optional.length)).toEqual(['', expect.stringMatching(/^Everything /), '']);
  });

  test('a model file that is none is a problem', async () => {
    const model = path.join(root, 'bad.gguf');
    writeFileSync(model, 'GGUF no more');
    writeFileSync(path.join(root, 'mmproj.gguf'), 'GGUF no more');
    const { code, of } = await examined(['--model', model]);
    expect(code).toBe(1);
    expect(of('model').map(({ status }) => status)).toContain('problem');
  });
});

describe('GPU libraries', () => {
  test.each([
    ['libcuda.so.1', /NVIDIA driver.*nvidia-driver.*--gpus all/],
    ['libcudart.so.13', /CUDA 13 runtime.*cuda-cudart-13-\*.*developer\.nvidia\.com/],
    ['libcublasLt.so.12', /CUDA 12 runtime.*libcublas-12-\*/],
    ['libvulkan.so.1', /libvulkan1 .*vulkan-loader/],
    ['libodd.so.3', /^libodd\.so\.3: install the package/],
  ])('%s is explained by name', (library, remedy) => {
    expect(remedyFor(library)).toContain(library);
    expect(remedyFor(library)).toMatch(remedy);
  });

  test('for a GPU that is there, the command that gets what runs on it comes first, then each library that is missing', async () => {
    const findings = await checkGpus('auto', ['NVIDIA']);
    for (const backend of ['cuda', 'vulkan'] as const) {
      const finding = findings.find(({ check }) => check === backend)!;
      if (finding.status === 'ok') continue;
      const missing = await missingLibraries(backend);
      for (const library of missing) expect(isLibraryInstalled(library)).toBe(false);
      const { remedies = [] } = finding;
      const isInstalled = findPackage(`@node-llama-cpp/linux-x64-${backend}`, path.join(packageRoot, 'native'));
      if (!isInstalled && process.platform === 'linux' && process.arch === 'x64')
        expect(remedies[0]).toMatch(new RegExp(`^run "npm run install:gpu -- ${backend}(-ext)?"$`));
      if (missing.length > 0) expect(remedies.slice(isInstalled ? 0 : 1)).toEqual(missing.map(remedyFor));
      expect(finding.status).toBe('warning');
    }
  });

  test('a backend nobody could use here is only noted, unless it is asked for', async () => {
    const statusOf = async (wanted: string): Promise<string> =>
      (await checkGpus(wanted, [])).find(({ check }) => check === 'cuda')!.status;
    if ((await statusOf('auto')) === 'ok') return; // this machine runs CUDA
    expect(await statusOf('auto')).toBe('note');
    expect(await statusOf('cuda')).toBe('problem');
  });
});

describe('the machine', () => {
  test('Node.js before 20.19 is a problem', () => {
    expect(['20.18.3', '18.20.0', '20.19.0', '22.1.0', '24.0.0'].map((version) => checkNode(version).status)).toEqual([
      'problem',
      'problem',
      'ok',
      'ok',
      'ok',
    ]);
  });

  test('little memory is a warning that says how little', () => {
    expect(checkMemory(300e6, 8e9)).toMatchObject({
      status: 'warning',
      summary: '300 MB of 8.0 GB memory available',
    });
    expect(checkMemory(6e9, 8e9).status).toBe('ok');
  });

  test('graphics adapters are told by their PCI class and maker', () => {
    const add = (name: string, device: string, kind: string, vendor: string): void => {
      const folder = path.join(root, name, 'sys/bus/pci/devices', device);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'class'), `${kind}\n`);
      writeFileSync(path.join(folder, 'vendor'), `${vendor}\n`);
    };
    add('pc', '0000:00:02.0', '0x030000', '0x8086');
    add('pc', '0000:01:00.0', '0x030200', '0x10de');
    add('pc', '0000:02:00.0', '0x020000', '0x10de');
    expect(graphicsAdapters(path.join(root, 'pc'))).toEqual(['Intel', 'NVIDIA']);
    expect(graphicsAdapters(projectFile('none'))).toBeUndefined();
  });
});
