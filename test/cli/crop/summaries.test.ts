import { appendFileSync, copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright, type Finished } from '../run.js';
import { usePhotoFolder } from './photo-folder.js';

const { at, run: plainRun } = usePhotoFolder();
const run = (...args: readonly string[]): Promise<Finished> => plainRun('--engine', 'rules', '-o', 'out/', ...args);

describe('what a run writes about itself', () => {
  test.each(['--report', '--contact-sheet', '--review-list'])(
    '%s with --resume replaces nothing that is not its own, nor what somebody has changed since',
    async (option) => {
      copyFileSync(examplePhoto('mountains'), at('mine.jpg'));
      const args = ['--min-confidence', '1', '--resume', option, 'mine.jpg', 'in/'];
      const mine = readFileSync(at('mine.jpg'));
      const refused = await run(...args);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(/mine\.jpg exists already: use --force to replace it \[OUTPUT_EXISTS\]\n$/);
      expect(readFileSync(at('mine.jpg'))).toEqual(mine);

      expect((await run(...args, '--force')).code).toBe(0);
      expect((await run(...args)).code).toBe(0);
      const own = readFileSync(at('mine.jpg'));
      expect(own).not.toEqual(mine);
      appendFileSync(at('mine.jpg'), 'changed');
      expect((await run(...args)).code).toBe(2);
      expect(readFileSync(at('mine.jpg'))).toEqual(Buffer.concat([own, Buffer.from('changed')]));
    },
  );

  test.each([
    [['--report', 'in/dogs.jpg'], /in\/dogs\.jpg \(--report\) is one of the photos itself; name another/],
    [['--contact-sheet', 'in/dogs.jpg'], /is one of the photos itself/],
    [['--contact-sheet', 'link.jpg'], /link\.jpg \(--contact-sheet\) is one of the photos itself/],
    [['--contact-sheet', 'out/dogs-crop.jpg'], /is what in\/dogs\.jpg gives/],
    [['--overlay', '--contact-sheet', 'out/dogs-overlay.jpg'], /is what in\/dogs\.jpg gives/],
    [['--xmp', '--report', 'in/dogs.xmp'], /is what in\/dogs\.jpg gives/],
    [['--report', 'a.jpg', '--contact-sheet', './a.jpg'], /is also what --report writes/],
    [['--min-confidence', '1', '--journal', 'a.jsonl', '--review-list', 'a.jsonl'], /is also what --journal writes/],
    [['--hints', 'hints.jsonl', '--min-confidence', '1', '--review-list', 'hints.jsonl'], /is what --hints reads/],
    [['--journal', 'in/new.jpg', 'in/new.jpg'], /in\/new\.jpg \(--journal\) is one of the photos itself/],
  ])('%j is refused, even with --force', async (args, message) => {
    symlinkSync(at('in', 'dogs.jpg'), at('link.jpg'));
    writeFileSync(at('hints.jsonl'), '{"path": "in/dogs.jpg", "focus": [10, 10]}\n');
    const before = readFileSync(at('in', 'dogs.jpg'));
    const { code, stdout, stderr } = await run('--force', ...args, 'in/dogs.jpg', 'in/pagoda.jpg');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(readFileSync(at('in', 'dogs.jpg'))).toEqual(before);
    expect(readdirSync(at()).sort()).toEqual(['hints.jsonl', 'in', 'link.jpg']);
  });

  test('choices are never written over', async () => {
    const lines = '{"path": "in/dogs.jpg", "box": [0, 0, 100, 100]}\n';
    writeFileSync(at('choices.jsonl'), lines);
    const { code, stderr } = await framewright(
      ['--choices', 'choices.jsonl', '-o', 'out/', '--force', '--report', 'choices.jsonl'],
      { cwd: at() },
    );
    expect(code).toBe(2);
    expect(stderr).toContain('is what --choices reads');
    expect(readFileSync(at('choices.jsonl'), 'utf8')).toBe(lines);
  });

  test('a contact sheet among the photos is no photo of the next run', async () => {
    const args = ['--contact-sheet', 'in/sheet.jpg', 'in/'];
    expect((await run(...args)).code).toBe(0);
    const again = await run(...args, '--resume');
    expect(again).toMatchObject({
      code: 0,
      stderr: 'framewright: 1 picture made here earlier is left out\nframewright: 2 of 2 photos were done earlier\n',
    });
    expect(readdirSync(at('out')).filter((name) => name.endsWith('.jpg'))).toEqual([
      'dogs-crop.jpg',
      'pagoda-crop.jpg',
    ]);
  });

  test.each([
    ['a dry run', ['--dry-run']],
    ['a run that writes elsewhere', ['-o', 'elsewhere/']],
  ])('nor that of %s', async (_, more) => {
    const crop = (...args: string[]) => framewright(['--engine', 'centre', ...args], { cwd: at() });
    expect((await crop(...more, '--contact-sheet', 'in/sheet.jpg', 'in/')).code).toBe(0);
    const next = await crop('-o', 'out/', 'in/');
    expect(next).toMatchObject({ code: 0, stderr: 'framewright: 1 picture made here earlier is left out\n' });
    expect(readdirSync(at('out')).filter((name) => name.includes('sheet'))).toEqual([]);
  });
});
