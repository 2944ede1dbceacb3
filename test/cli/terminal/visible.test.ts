import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { visible } from '../../../src/cli/terminal/visible.js';
import { testWith } from '../../support/system-tools.js';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { usePhotoFolder } from '../crop/photo-folder.js';

const { at, run } = usePhotoFolder();
/** Clears the screen, sets the title, and turns the direction of text. */
const EVIL = 'a\x1b[2J\x1b]0;title\x07\u009b31m\u202egpj';
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const RAW = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/;

test('control characters become escapes; lines, tabs and other scripts stay', () => {
  expect(visible('\x1b[31m\r\x7f\u009b\u202e')).toBe('\\u001b[31m\\u000d\\u007f\\u009b\\u202e');
  const plain = 'naïve 写真 صورة\t👍🏽\n';
  expect(visible(plain)).toBe(plain);
  const json = JSON.stringify({ path: EVIL });
  expect(JSON.parse(visible(json))).toEqual({ path: EVIL });
});

describe('what comes from outside does not steer the terminal:', () => {
  test('the name of a photo that fails, of one that is cropped, and an option that is none', async () => {
    writeFileSync(at(`${EVIL}.jpg`), 'no photo');
    const failed = await run('--engine', 'centre', '--verbose', `${EVIL}.jpg`, 'in/dogs.jpg');
    expect(failed.stderr).not.toMatch(RAW);
    expect(failed.stderr).toContain('a\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u202egpj.jpg');
    expect((await run(`--${EVIL}`)).stderr).not.toMatch(RAW);
  });

  test('a catalogue, a manifest, hints and a config', async () => {
    const files: [string, string, string[]][] = [
      [
        'framewright.models.json',
        JSON.stringify({ schemaVersion: 1, models: { m: { text: `${EVIL}.gguf`, mmproj: 'y' } } }),
        ['--model', 'm'],
      ],
      ['framewright.models.json', JSON.stringify({ schemaVersion: 1, models: { m: { [EVIL]: 1 } } }), ['--model', 'm']],
      ['hints.jsonl', JSON.stringify({ path: 'in/dogs.jpg', [EVIL]: 1 }), ['--hints', 'hints.jsonl']],
      ['framewright.config.json', JSON.stringify({ [EVIL]: 1 }), []],
    ];
    for (const [file, text, args] of files) {
      writeFileSync(at(file), text);
      const { code, stderr } = await run('--dry-run', ...args, 'in/dogs.jpg');
      expect(code, file).not.toBe(0);
      expect(stderr).not.toMatch(RAW);
      renameSync(at(file), at(`${file}.old`));
    }
  });
});

testWith(['script'], 'a script reads names as they are, in text and in JSON, and a terminal does not', async () => {
  copyFileSync(examplePhoto('dogs'), at(`${EVIL}.jpg`));
  const text = await run('--engine', 'centre', `${EVIL}.jpg`);
  expect(text.stdout).toBe(`${EVIL}-crop.jpg\n`);
  const json = await run('--engine', 'centre', '--json', '--dry-run', `${EVIL}.jpg`);
  expect((JSON.parse(json.stdout) as { photo: { path: string } }).photo.path).toBe(`${EVIL}.jpg`);
  const command = [process.execPath, projectFile('dist', 'src', 'cli', 'main.js'), '--engine', 'centre', '--dry-run'];
  const quoted = [...command, `${EVIL}.jpg`].map((word) => `'${word}'`).join(' ');
  const shown = execFileSync('script', ['-qec', quoted, '/dev/null'], { cwd: at(), encoding: 'utf8' });
  expect(shown).toContain('a\\u001b[2J');
  expect(shown).not.toContain('\x1b[2J');
});
