import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { installLine, isInstalled, needPackages, OPTIONAL_PACKAGES } from '../../src/files/optional-packages.js';
import { projectFile } from '../support/photos.js';

const { peerDependencies } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};

test('every optional peer of the package has its use', () => {
  expect(Object.values(OPTIONAL_PACKAGES).flat().sort()).toEqual(Object.keys(peerDependencies).sort());
});

test('the line that installs them is one word a package to a shell, with the range of package.json', () => {
  for (const use of ['server', 'fleet'] as const) {
    const words = execFileSync('sh', ['-c', installLine(use).replace('npm install', "printf '%s\\n'")], {
      encoding: 'utf8',
    });
    expect(words.trimEnd().split('\n')).toEqual(
      OPTIONAL_PACKAGES[use].map((name) => `${name}@${peerDependencies[name]!}`),
    );
  }
});

test('what is there is not asked for, whatever it lets others load of it', () => {
  expect(isInstalled('fastify')).toBe(true);
  expect(isInstalled('fastify/no-such-file')).toBe(false);
  expect(() => needPackages('server', 'a test')).not.toThrow();
});
