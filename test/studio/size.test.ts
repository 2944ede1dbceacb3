import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { projectFile } from '../support/photos.js';

test('all scripts of the page take less than 250 kB compressed', () => {
  const folder = projectFile('dist', 'web', 'studio', 'assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
  const sizes = scripts.map((name) => gzipSync(readFileSync(`${folder}/${name}`)).length);
  expect(scripts.length).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(250_000);
});
