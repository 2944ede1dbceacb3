import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';
import { usePhotoFolder } from './photo-folder.js';

const { at, run } = usePhotoFolder();

test('--watch crops what arrives, and ends well on the first Ctrl-C', async () => {
  mkdirSync(at('inbox'));
  let stop: (() => void) | undefined;
  const args = ['--watch', 'inbox', '-o', 'out/', '-a', '1:1', '--engine', 'rules'];
  const watching = framewright(args, {
    cwd: at(),
    onStart: (kill) => (stop = () => kill('SIGINT')),
    onStderr: (text) => {
      if (text.includes('watching inbox')) copyFileSync(examplePhoto('pagoda'), at('inbox', 'pagoda.jpg'));
    },
  });
  while (!written().includes('pagoda-1x1.jpg')) await new Promise((resolve) => setTimeout(resolve, 50));
  stop!();
  const { code, stdout } = await watching;
  expect(code).toBe(0);
  expect(stdout).toBe('out/pagoda-1x1.jpg\n');
});

test.each([
  [['--watch', '-'], /one photo/],
  [['--watch', '.', '--force'], /--force has no meaning beside it/],
  [['--watch', '.', '--report', 'r.html'], /--report has no meaning beside it/],
  [['--watch', '.', '--no-journal'], /--no-journal has no meaning beside it/],
  [['--watch', '--choices', 'c.jsonl'], /--watch changes nothing about it/],
])('%j is refused', async (args, why) => {
  const { code, stderr } = await run(...args);
  expect(stderr).toMatch(why);
  expect(code).toBe(2);
});

function written(): readonly string[] {
  try {
    return readdirSync(at('out'));
  } catch {
    return [];
  }
}
