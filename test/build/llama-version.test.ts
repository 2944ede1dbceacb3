import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { coreLibraries, findLlama } from '../../native/install/packages.mjs';
import { glibcVersion, neededGlibc } from '../../native/install/toolchain.mjs';
import { declareWhere } from '../support/system-tools.js';
import { projectDir } from './sandbox.js';

const { version, release, libraryDir } = findLlama();

test('native/package.json names the version of node-llama-cpp that is installed, and no range', () => {
  const { dependencies } = JSON.parse(readFileSync(join(projectDir, 'native/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(dependencies['node-llama-cpp']).toBe(version);
});

test("its lock holds node-llama-cpp's packages for every platform and GPU, all of that version", () => {
  const lock = JSON.parse(readFileSync(join(projectDir, 'native/package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
  };
  const listed = Object.entries(lock.packages).filter(([name]) => name.startsWith('node_modules/@node-llama-cpp/'));
  const named = lock.packages['node_modules/node-llama-cpp']!.optionalDependencies!;
  expect(listed.map(([name]) => name.slice('node_modules/'.length)).sort()).toEqual(Object.keys(named).sort());
  expect(listed).toHaveLength(14);
  for (const [, { version: locked }] of listed) expect(locked).toBe(version);
});

test('what npm ci installs has no package of llama.cpp', () => {
  const lock = readFileSync(join(projectDir, 'package-lock.json'), 'utf8');
  expect(lock).not.toContain('node-llama-cpp');
});

test('no other file of ours names that version, or the release of llama.cpp in it', () => {
  const folders = ['docs', 'examples', 'gguf', 'native/install', 'native/src', 'prompts', 'scripts', 'src', 'test', 'training'];
  const paths = folders.flatMap((folder) =>
    readdirSync(join(projectDir, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(c?ts|m?js|cpp|h|md|py)$/.test(name) && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  );
  const naming = ['README.md', 'package.json', 'native/CMakeLists.txt', ...paths].filter((path) => {
    const text = readFileSync(join(projectDir, path), 'utf8');
    return text.includes(version!) || text.includes(release!);
  });
  expect(naming).toEqual([]);
});

test('the glibc that libraries need is the newest their symbols name', () => {
  const dir = mkdtempSync(join(tmpdir(), 'framewright-glibc-'));
  try {
    const library = (name: string, ...symbols: string[]): string => {
      writeFileSync(join(dir, name), `\x7fELF\0${symbols.join('\0')}\0`);
      return join(dir, name);
    };
    const one = library('one.so', 'GLIBC_2.4', 'GLIBC_2.17', 'GLIBC_2.2.5', 'GLIBCXX_3.4.29');
    const two = library('two.so', 'GLIBC_2.9', 'GLIBC_PRIVATE');
    expect(neededGlibc([one, two])).toEqual([2, 17]);
    expect(neededGlibc([library('none.so', 'CXXABI_1.3')])).toEqual([0, 0]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

declareWhere(Boolean(glibcVersion() && libraryDir), 'the glibc that the prebuilt libraries need', 'glibc', () => {
  test('the prebuilt libraries need one that this system has', () => {
  const [major, minor] = neededGlibc(coreLibraries(libraryDir!).map(({ path }) => path));
  expect(major).toBe(2);
  expect(minor).toBeGreaterThanOrEqual(17);
  expect(minor).toBeLessThanOrEqual(glibcVersion()![1]!);
});
});
