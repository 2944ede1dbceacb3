import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cropResultSchema } from '../../../src/base/schema.js';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-cli-'));
  copyFileSync(examplePhoto('dogs'), path.join(folder, 'dogs.jpg'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof framewright> => framewright(args, { cwd: folder });

describe('framewright <photos>', () => {
  test('writes the crop beside the photo, prints its path alone on stdout, and warns of an untrained model', async () => {
    const { code, stdout, stderr } = await run('dogs.jpg');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'dogs-crop.jpg\n' });
    if (untrained()) expect(stderr).toMatch(/^framewright: warning: .*untrained/);
    expect((await sharp(path.join(folder, 'dogs-crop.jpg')).metadata()).format).toBe('jpeg');
  });

  test('--json prints one result a line and the written crop has the size it says', async () => {
    const { stdout } = await run('--json', '-a', '1:1', '-a', '4:5', '--top', '2', 'dogs.jpg');
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => cropResultSchema.parse(JSON.parse(line)));
    expect(results.map(({ output }) => output)).toEqual([
      ['dogs-1x1.jpg', 'dogs-1x1-2.jpg'],
      ['dogs-4x5.jpg', 'dogs-4x5-2.jpg'],
    ]);
    for (const { crop, output } of results) {
      const { width, height } = await sharp(path.join(folder, output![0]!)).metadata();
      expect({ width, height }).toEqual({ width: crop.width, height: crop.height });
    }
  });

  test('--size writes exactly that many pixels, --format and -o say how and where', async () => {
    const { code, stdout } = await run('--size', '320x200', '--format', 'webp', '-o', 'out/', 'dogs.jpg');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${path.join('out', 'dogs-320x200.webp')}\n` });
    const { width, height, format } = await sharp(path.join(folder, 'out', 'dogs-320x200.webp')).metadata();
    expect({ width, height, format }).toEqual({ width: 320, height: 200, format: 'webp' });
  });

  test('--overlay also writes the photo at its own size with the composition drawn on it', async () => {
    const { stdout } = await run('--overlay', 'dogs.jpg');
    expect(stdout).toBe('dogs-crop.jpg\ndogs-overlay.jpg\n');
    const { width, height } = await sharp(path.join(folder, 'dogs-overlay.jpg')).metadata();
    expect({ width, height }).toEqual({ width: 799, height: 1200 });
  });

  test('that an animation is cropped as a whole, or its first frame alone, is said on stderr and in the JSON', async () => {
    const frames = Buffer.concat([Buffer.alloc(60 * 40 * 3, 90), Buffer.alloc(60 * 40 * 3, 200)]);
    const moving = await sharp(frames, { raw: { width: 60, height: 80, channels: 3, pageHeight: 40 } })
      .webp({ delay: [100, 100] })
      .toBuffer();
    writeFileSync(path.join(folder, 'a.webp'), moving);
    const cropped = async (...flags: string[]): Promise<number | undefined> => {
      const { code, stdout, stderr } = await run('--engine', 'full', '--json', '--force', 'a.webp', ...flags);
      expect(code).toBe(0);
      const { notes, output } = cropResultSchema.parse(JSON.parse(stdout));
      expect(notes).toHaveLength(1);
      expect(notes![0]).toContain('is an animation of 2 frames');
      expect(stderr).toContain(`framewright: warning: a.webp ${notes![0]!}\n`);
      return (await sharp(readFileSync(path.join(folder, output![0]!))).metadata()).pages;
    };
    expect(await cropped()).toBe(2);
    expect(await cropped('--first-frame')).toBeUndefined();
  });

  test('--dry-run writes nothing and prints the rectangle', async () => {
    const { code, stdout } = await run('--dry-run', 'dogs.jpg');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^dogs\.jpg\t\d+,\d+,\d+,\d+\n$/);
    expect(readdirSync(folder)).toEqual(['dogs.jpg']);
  });

  test('takes a folder, sorted, and leaves out what is no photo', async () => {
    mkdirSync(path.join(folder, 'in'));
    for (const name of ['b.jpg', 'a.jpg']) copyFileSync(path.join(folder, 'dogs.jpg'), path.join(folder, 'in', name));
    writeFileSync(path.join(folder, 'in', 'notes.txt'), 'no photo');
    const { code, stdout } = await run('-o', 'out/', 'in');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'out/a-crop.jpg\nout/b-crop.jpg\n' });
  });

  test('overwrites nothing without --force, and says so before the model is loaded', async () => {
    writeFileSync(path.join(folder, 'dogs-crop.jpg'), 'mine');
    const refused = await run('dogs.jpg');
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toBe(
      'framewright: dogs-crop.jpg exists already; --force overwrites, --output names another place [OUTPUT_EXISTS]\n',
    );
    expect(readFileSync(path.join(folder, 'dogs-crop.jpg'), 'utf8')).toBe('mine');
    expect((await run('--force', 'dogs.jpg')).code).toBe(0);
    expect(readFileSync(path.join(folder, 'dogs-crop.jpg')).length).toBeGreaterThan(1000);
  });

  test('goes on after photos that fail, names each, and exits 4', async () => {
    writeFileSync(path.join(folder, 'text.jpg'), 'this is no photo');
    const { code, stdout, stderr } = await run('--json', 'missing.jpg', 'text.jpg', 'dogs.jpg');
    expect(code).toBe(4);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { error?: { code: string }; output?: string[] });
    expect(lines.map(({ error }) => error?.code)).toEqual(['INPUT_NOT_FOUND', 'INPUT_UNSUPPORTED', undefined]);
    expect(lines[2]!.output).toEqual(['dogs-crop.jpg']);
    expect(stderr).toMatch(/^framewright: .*missing\.jpg.* \[INPUT_NOT_FOUND\]$/m);
    expect(stderr).toMatch(/^framewright: 2 of 3 photos failed$/m);
  });

  test.each([
    [['--aspect', 'wide', 'dogs.jpg'], /"wide" is not an aspect ratio/],
    [['--keep', '1,2,3', 'dogs.jpg'], /x,y,width,height/],
    [['--candidates', '0', 'dogs.jpg'], /whole number from 1 to 20/],
    [['--top', '9', 'dogs.jpg'], /--top 9 is more than the 5 candidates/],
    [['--gpu', 'abacus', 'dogs.jpg'], /auto, cuda, vulkan, metal, cpu/],
    [['--no-such-option', 'dogs.jpg'], /unknown option/],
    [['empty-folder'], /no photo in the folder/],
  ])('refuses %j with exit code 2 or 1 and one clear line', async (args, message) => {
    mkdirSync(path.join(folder, 'empty-folder'));
    const { code, stdout, stderr } = await run(...args);
    expect([1, 2]).toContain(code);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^framewright: /);
  });

  test('says what to do about a model that is not there, or none, with exit code 3', async () => {
    for (const [args, what] of [
      [['--model', 'gpt', 'dogs.jpg'], /no model is called "gpt".*\[MODEL_NOT_FOUND\]/],
      [['--model', 'x.gguf', 'dogs.jpg'], /x\.gguf does not exist \[MODEL_NOT_FOUND\]/],
    ] as const) {
      const { code, stderr } = await run(...args);
      expect(code).toBe(3);
      expect(stderr).toMatch(what);
    }
    writeFileSync(path.join(folder, 'bad.gguf'), 'GGUF no more');
    writeFileSync(path.join(folder, 'mmproj.gguf'), 'GGUF no more');
    const { code, stderr } = await run('--model', 'bad.gguf', 'dogs.jpg');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^framewright: cannot use the model bad: .* \[MODEL_INVALID\]\n$/);
  });

  test('says why a folder cannot be made, where the system allows none', async () => {
    const { code, stderr } = await run('--engine', 'full', '-a', '1:1', '-o', '/proc/no/such/', 'dogs.jpg');
    expect(code).toBe(4);
    expect(stderr).toMatch(/cannot make the folder \/proc\/no: .*\[OUTPUT_WRITE\]/);
  });

  test('Ctrl-C ends with exit code 130 and leaves only whole files', async () => {
    const photos = Array.from({ length: 60 }, (_, i) => `photo-${i}.jpg`);
    for (const name of photos) copyFileSync(path.join(folder, 'dogs.jpg'), path.join(folder, name));
    const { code, stdout } = await framewright(['-o', 'out/', '--verbose', ...photos], {
      cwd: folder,
      onStderr: (text, kill) => {
        if (text.includes('photo-3.jpg')) kill('SIGINT');
      },
    });
    expect(code).toBe(130);
    const written = readdirSync(path.join(folder, 'out')).filter((name) => name !== '.framewright-journal.jsonl');
    expect(written.length).toBeLessThan(60);
    expect(stdout.trimEnd().split('\n').length).toBe(written.length);
    for (const name of written) {
      expect(name).toMatch(/^photo-\d+-crop\.jpg$/); // no temporary file is left
      await sharp(path.join(folder, 'out', name), { failOn: 'warning' }).stats();
    }
  });

  test('--help and --version go to stdout with exit code 0', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('gguf');
    expect((await run('crop', '--help')).stdout).toContain('--aspect <ratio>');
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('framewright analyse', () => {
  test('prints one element a line, or a JSON array', async () => {
    const lines = (await run('analyse', 'dogs.jpg')).stdout.trimEnd().split('\n');
    const elements = JSON.parse((await run('analyse', '--json', 'dogs.jpg')).stdout) as { type: string }[];
    expect(lines.map((line) => line.split('\t')[0])).toEqual(elements.map(({ type }) => type));
  });
});

function untrained(): boolean {
  const manifest = path.resolve(import.meta.dirname, '..', '..', '..', 'gguf', 'nano', 'manifest.json');
  return existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"trained": false');
}
