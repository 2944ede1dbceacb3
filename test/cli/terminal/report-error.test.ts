import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { photoErrorText } from '../../../src/cli/terminal/report-error.js';
import { FramewrightError } from '../../../src/base/errors.js';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';

test.each([
  ['in/a.jpg', 'the model gave no answer', 'in/a.jpg: the model gave no answer'],
  ['in/a.jpg', 'in/a.jpg does not exist', 'in/a.jpg does not exist'],
  ['in/a.jpg', 'cannot write out/b.jpg for in/a.jpg: full', 'cannot write out/b.jpg for in/a.jpg: full'],
  ['a.jpg', 'cannot read aa.jpg', 'a.jpg: cannot read aa.jpg'],
  ['a.jp', 'cannot read a.jpg', 'a.jp: cannot read a.jpg'],
  ['-', 'it is\n  broken', 'stdin: it is; broken'],
])('the error of %j, %j, is told with its name, once and in one line', (input, message, told) => {
  expect(photoErrorText(input, new FramewrightError('DECODE', message))).toBe(`${told} [DECODE]`);
});

test('every failure of a run is told once, when it happens, and its photo named once more at the end', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-errors-'));
  try {
    mkdirSync(path.join(folder, 'in'));
    copyFileSync(examplePhoto('dogs'), path.join(folder, 'in', 'a.jpg'));
    writeFileSync(path.join(folder, 'in', 'b.jpg'), 'no photo');
    const tooWide = ['--engine', 'rules', '--keep', '0,0,790,20', '-a', '1:16'];
    const { code, stderr } = await framewright([...tooWide, '--dry-run', 'in'], { cwd: folder });
    expect(code).toBe(4);
    const [a, b, summary, ...listed] = stderr.trimEnd().split('\n');
    expect(a).toMatch(/^framewright: .*in\/a\.jpg.*\[ASPECT_IMPOSSIBLE\]$/);
    expect(b).toMatch(/^framewright: .*in\/b\.jpg.*\[INPUT_UNSUPPORTED\]$/);
    expect(summary).toBe('framewright: 2 of 2 photos failed');
    expect(listed).toEqual(['  in/a.jpg', '  in/b.jpg']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
