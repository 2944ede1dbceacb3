import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-attention-'));
});
afterAll(() => rm(root, { recursive: true }));

test('prints the table and writes page, JSON and CSV; a photo that cannot be read is told and left out', async () => {
  const broken = join(root, 'broken.jpg');
  await writeFile(broken, 'no photo');
  const [html, json, csv] = ['a.html', 'a.json', 'a.csv'].map((name) => join(root, name)) as [string, string, string];
  const outputs = ['--report', html, '--out', json, '--csv', csv];
  const { code, stdout, stderr } = await framewright([
    'attention',
    examplePhoto('dogs'),
    broken,
    '--gpu',
    'cpu',
    ...outputs,
  ]);
  expect(code).toBe(4);
  expect(stderr).toContain('broken.jpg');
  expect(stdout).toMatch(/^Model nano, [0-9a-f]{12}, prompts compact.*; 1 photo\.\n\n\| attended +\| share, enhanced/);
  expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ schemaVersion: 1, photos: [{ grid: {} }] });
  expect((await readFile(csv, 'utf8')).split('\n')[0]).toBe(
    'photo,condition,layer,head,group,tokens,share,lift,normalised',
  );
  expect(await readFile(html, 'utf8')).toContain('<title>Attention: nano, 1 photo</title>');

  const again = await framewright(['attention', examplePhoto('dogs'), ...outputs]);
  expect([again.code, again.stdout]).toEqual([2, '']);
});
