import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { type Finished } from '../run.js';
import { usePhotoFolder } from './photo-folder.js';

const { at, run: plainRun } = usePhotoFolder();
const run = (...args: readonly string[]): Promise<Finished> => plainRun('--engine', 'rules', ...args);

describe('--journal', () => {
  test('a file that is no journal is refused and left as it is, even where the run would end early', async () => {
    copyFileSync(examplePhoto('mountains'), at('mine.jpg'));
    writeFileSync(at('hints.jsonl'), '{"path": "in/dogs.jpg", "focus": [10, 10]}\n');
    writeFileSync(at('in', 'pagoda-crop.jpg'), '');
    for (const [file, photo] of [
      ['mine.jpg', 'in/pagoda.jpg'],
      ['mine.jpg', 'in/dogs.jpg'],
      ['hints.jsonl', 'in/dogs.jpg'],
    ] as const) {
      const before = readFileSync(at(file));
      const { code, stdout, stderr } = await run('--hints', 'hints.jsonl', '--journal', file, photo);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`${file} is no journal of crops; name another file with --journal [USAGE]\n`);
      expect(readFileSync(at(file))).toEqual(before);
    }
  });

  test('a run that ends early takes away the journal it has made, and no other', async () => {
    writeFileSync(at('in', 'pagoda-crop.jpg'), '');
    writeFileSync(at('empty.jsonl'), '');
    for (const file of ['new.jsonl', 'empty.jsonl']) {
      expect((await run('--journal', file, 'in/pagoda.jpg')).code).toBe(2);
    }
    expect(readdirSync(at()).sort()).toEqual(['empty.jsonl', 'in']);
  });

  test("somebody else's file with the name of its lock is left alone", async () => {
    writeFileSync(at('yarn.lock'), 'mine');
    const { code, stderr } = await run('--journal', 'yarn.jsonl', 'in/dogs.jpg');
    expect(code).toBe(1);
    expect(stderr).toMatch(/yarn\.lock is in the way.*\[OUTPUT_WRITE\]/);
    expect(readFileSync(at('yarn.lock'), 'utf8')).toBe('mine');
  });
});
