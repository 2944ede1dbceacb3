import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBinding } from '../../../src/runtime/binding.js';
import { loadBackendsWith } from '../../../src/runtime/backends/cpu-variants.js';
import { declareWhere } from '../../support/system-tools.js';
import { runAlone } from '../compiled.js';

const { addon, info, cpuVariants } = await loadBinding({ gpu: 'cpu' });
const variants = cpuVariants();
const executable = variants.filter(({ isExecutable }) => isExecutable).map(({ name }) => name);
const [best] = executable;
const other = executable.at(-1)!;
const foreign = variants.find(({ isExecutable }) => !isExecutable);

/** What a process of its own says of the runtime that it opens under FRAMEWRIGHT_CPU. */
async function under(variable: string, options: object = {}): Promise<string> {
  const { stdout } = await runAlone(`
    process.env.FRAMEWRIGHT_CPU = ${JSON.stringify(variable)};
    const opened = openRuntime(${JSON.stringify({ gpu: 'cpu', ...options })});
    console.log(await opened.then(({ info }) => info.cpuVariant, ({ code, message }) => code + ' ' + message));`);
  return stdout.trim();
}

declareWhere(
  executable.length > 1,
  'the choice of CPU variants',
  'a build with several this processor executes',
  () => {
    describe('the CPU variant', () => {
      test('in use is one that can be executed, and the best unless another is asked for', async () => {
        const { FRAMEWRIGHT_CPU: chosen = '' } = process.env;
        expect(info.cpuVariant).toBe(chosen === '' ? best : chosen);
        expect(await under('')).toBe(best);
        expect(await under(other)).toBe(other);
        expect(await under(best!, { cpu: other })).toBe(other);
      });

      test('is one in a process: asked for again it is the same, and another is refused', async () => {
        const same = await loadBinding({ gpu: 'cpu', cpu: info.cpuVariant! });
        expect(same.info).toMatchObject({ cpuVariant: info.cpuVariant, devices: [{ name: 'CPU' }] });
        const different = executable.find((name) => name !== info.cpuVariant)!;
        await expect(loadBinding({ gpu: 'cpu', cpu: different })).rejects.toMatchObject({
          code: 'USAGE',
          message: expect.stringContaining(`${different}: this process uses ${info.cpuVariant!} already`) as string,
        });
      });

      test('that there is none of is refused with the names there are', async () => {
        const message = await under('abacus');
        expect(message).toMatch(/^USAGE cannot compute with the CPU variant abacus: there is none of this name/);
        for (const { name } of variants) expect(message).toContain(name);
      });
    });
  },
);

declareWhere(
  foreign !== undefined,
  'a CPU variant that cannot be executed',
  'a processor that lacks instructions',
  () => {
    test('a CPU variant this processor cannot execute is refused before it is loaded', async () => {
      const message = await under(foreign!.name);
      expect(message).toMatch(/^USAGE .*: this processor lacks instructions it uses; it can execute /);
      expect(message).toContain(executable.join(', '));
    });
  },
);

test('a build from source, which has one variant only, says so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'framewright-variants-'));
  try {
    writeFileSync(join(folder, 'libggml-base.so'), '');
    writeFileSync(join(folder, 'libggml-cpu.so'), '');
    expect(() => loadBackendsWith(addon, folder, 'haswell')).toThrow(
      /a build from source has only the one it was compiled/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
