import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PLATFORMS } from '../../scripts/release/platforms.mjs';

test('the release workflow builds the addon of every platform that the package depends on', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const workflow = await readFile(path.join(root, '.github/workflows/release.yml'), 'utf8');
  const built = [...workflow.matchAll(/^ +- \{ platform: ([\w-]+), (.*)\}$/gm)].map(([, name, rest = '']) => ({
    name,
    isCompiled: rest.includes('build: source'),
  }));
  expect(built).toEqual(
    PLATFORMS.map(({ name, libraries }: { name: string; libraries?: string }) => ({
      name,
      isCompiled: libraries === undefined,
    })),
  );
});
