import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addonProblems } from '../../scripts/release/check.mjs';
import { GPU_LIBRARIES, PLATFORMS, packageName, thisPlatform } from '../../scripts/release/platforms.mjs';
import { readPacked } from '../../scripts/release/read-packed.mjs';
import { packAddon, packMain } from '../../scripts/release/stage.mjs';
import { projectDir } from '../build/sandbox.js';

const own = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as Record<
  string,
  Record<string, string>
> & {
  version: string;
};
const native = JSON.parse(readFileSync(join(projectDir, 'native/package.json'), 'utf8')) as typeof own;
const llamaVersion = native.dependencies!['node-llama-cpp']!;
const platform = thisPlatform()!;

let dir: string;
let main: ReturnType<typeof packMain>;
let addon: ReturnType<typeof packAddon>;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framewright-release-'));
  main = packMain(dir, { repository: 'https://example.com/framewright' });
  addon = packAddon(dir, platform);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Manifest = Record<string, unknown> &
  Record<'optionalDependencies' | 'peerDependencies' | 'dependencies', Record<string, string>>;
const manifestOf = ({ tarball }: { tarball: string }): Manifest => readPacked(tarball).manifest as Manifest;

describe('the package framewright', () => {
  test('depends on an addon for each platform of the same version, and on nothing that only compiling takes', () => {
    const { optionalDependencies, dependencies } = manifestOf(main);
    expect(optionalDependencies).toEqual(Object.fromEntries(PLATFORMS.map((each) => [packageName(each), own.version])));
    expect(dependencies).toEqual(own.dependencies);
    expect(Object.keys(dependencies).sort()).toEqual([
      '@orama/orama',
      'commander',
      'sharp',
      'smartcrop',
      'tinyglobby',
      'zod',
    ]);
  });

  test('takes GPU libraries of the version its addons are linked to, and asks for none', () => {
    const { peerDependencies, peerDependenciesMeta } = manifestOf(main);
    for (const name of GPU_LIBRARIES) {
      expect(peerDependencies[`@node-llama-cpp/${name}`]).toBe(llamaVersion);
      expect(peerDependenciesMeta).toHaveProperty([`@node-llama-cpp/${name}`, 'optional'], true);
    }
    expect(peerDependencies).toMatchObject(own.peerDependencies!);
  });

  test('has the one script that installing runs, and says where its sources are', () => {
    expect(manifestOf(main)).toMatchObject({
      scripts: { install: 'node native/install/install.mjs' },
      repository: { type: 'git', url: 'git+https://example.com/framewright.git' },
    });
    expect(manifestOf(main)).not.toHaveProperty('devDependencies');
  });
});

describe("the package of this platform's addon", () => {
  test('is for this platform alone, and depends on the very libraries it is linked to', () => {
    expect(manifestOf(addon)).toMatchObject({
      name: packageName(platform),
      version: own.version,
      os: [process.platform],
      cpu: [process.arch],
    });
    if (platform.libraries)
      expect(manifestOf(addon).dependencies).toEqual({ [`@node-llama-cpp/${platform.libraries}`]: llamaVersion });
  });

  test('holds nothing but the addon, what it was made from and two licences', () => {
    expect(addonProblems(addon, platform)).toEqual([]);
    const odd = { ...addon, files: [...addon.files, 'libllama.so', 'notes.txt'].filter((file) => file !== 'LICENSE') };
    const found = addonProblems(odd, platform).join('\n');
    expect(found).toContain('LICENSE is missing');
    expect(found).toContain('notes.txt has no place in it');
    if (platform.libraries) expect(found).toContain('libllama.so belongs to node-llama-cpp');
  });

  test('over its budget is a problem', () => {
    const heavy = { ...addon, unpackedBytes: addon.budgetBytes + 1 };
    expect(addonProblems(heavy, platform)).toEqual([expect.stringContaining('more than the')]);
  });
});

test('a tarball is read as npm wrote it', () => {
  for (const { tarball, files, bytes, unpackedBytes } of [main, addon]) {
    const read = readPacked(tarball);
    expect([...read.files].sort()).toEqual([...files].sort());
    expect(read).toMatchObject({ bytes, unpackedBytes });
  }
});

/** Rows of the table in docs/install.md by their first cell: files, MB, at most. */
function documented(): Map<string, number[]> {
  const page = readFileSync(join(projectDir, 'docs/install.md'), 'utf8');
  const [, table = ''] = page.split('## What is in the packages');
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    rows.map((line) => {
      const [, name = '', ...cells] = line.split('|').map((cell) => cell.trim());
      return [name, cells.map((cell) => Number(cell.replaceAll(',', '')))];
    }),
  );
}

test('docs/install.md tells what is in the packages, within a twentieth, and each is within its budget', () => {
  const rows = documented();
  const sizes = sizesOf(main.tarball);
  const of = (isIn: (file: string) => boolean): number[] => {
    const chosen = [...sizes].filter(([file]) => isIn(file));
    return [chosen.length, chosen.reduce((sum, [, bytes]) => sum + bytes, 0)];
  };
  const inFolder =
    (folder: string) =>
    (file: string): boolean =>
      file.startsWith(folder);
  const named = ['dist/', 'gguf/nano/', 'native/'];
  const actual: Record<string, number[]> = {
    '`framewright`': [main.files.length, main.unpackedBytes, main.budgetBytes],
    'the code and its types, `dist/`': of(inFolder('dist/')),
    'the bundled model, `gguf/nano/`': of(inFolder('gguf/nano/')),
    'to compile the addon, `native/`': of(inFolder('native/')),
    'pages, prompts, schemas and the rest, of which 0.5 example photos': of(
      (file) => !named.some((folder) => file.startsWith(folder)),
    ),
  };
  if (platform.name === 'linux-x64')
    actual['`@framewright/linux-x64`: the addon with libmtmd'] = [
      addon.files.length,
      addon.unpackedBytes,
      addon.budgetBytes,
    ];
  for (const [name, [files, bytes, budget]] of Object.entries(actual)) {
    const [filesSaid, megabytesSaid, mostSaid] = rows.get(name) ?? [];
    const close = (said: number | undefined, is: number): boolean =>
      Math.abs((said ?? NaN) - is) <= Math.max(0.05, is / 20);
    expect(
      [name, close(filesSaid, files!), close(megabytesSaid, bytes! / 1e6)],
      `${name}: ${files} files, ${(bytes! / 1e6).toFixed(2)} MB`,
    ).toEqual([name, true, true]);
    if (budget !== undefined) {
      expect(mostSaid).toBe(budget / 1e6);
      expect(bytes).toBeLessThanOrEqual(budget);
    }
  }
});

function sizesOf(tarball: string): Map<string, number> {
  return new Map(readPacked(tarball).sizes);
}
