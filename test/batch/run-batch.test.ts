import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { openCropper, runBatch, type BatchListener, type BatchOptions } from '../../src/index.js';
import { framewright } from '../cli/run.js';
import { projectFile } from '../support/photos.js';
import { PHOTOS, recorder, useSmallPhotos } from './small-photos.js';

const { at, written, rules } = useSmallPhotos();

describe('a run', () => {
  test('tells in order what it does, and a photo that fails is no reason to leave the others', async () => {
    writeFileSync(at('in', 'broken.jpg'), 'no photo');
    const { told, ends, listener } = recorder();
    const result = await runBatch(rules({ aspects: ['1:1'] }), listener);
    expect(told).toEqual([
      ...['find, 4', 'name, 4', 'plan of 4', 'check, 4', 'open rules', 'begin, 0 of 4', '0 of 4, 0 failed'],
      ...['broken.jpg failed: INPUT_UNSUPPORTED', '1 of 4, 1 failed'],
      ...['dogs.jpg done', '2 of 4, 1 failed', 'mountains.jpg done', '3 of 4, 1 failed'],
      ...['pagoda.jpg done', '4 of 4, 1 failed', 'end'],
    ]);
    expect(result).toMatchObject({ nTotal: 4, nDone: 3, nEarlier: 0, isStopped: false, canResume: true });
    expect(result.failures).toEqual([{ input: at('in', 'broken.jpg'), error: expect.any(Error) as Error }]);
    expect(ends).toEqual([result]);
    expect(written()).toEqual(PHOTOS.map((name) => name.replace('.jpg', '-1x1.jpg')));
  });

  test('on the model is as its cropper crops, also with one that is open, which stays so', async () => {
    const boxes: unknown[] = [];
    const listener: BatchListener = { onPhoto: ({ results }) => boxes.push(results[0]!.crop) };
    const options = rules({ aspects: ['1:1'], dryRun: true });
    await runBatch({ ...options, cropper: { engine: 'vlm', parallel: 8 } }, listener);
    await using cropper = await openCropper();
    await runBatch({ ...options, cropper }, listener);
    const single: unknown[] = [];
    for (const name of PHOTOS) single.push((await cropper.crop(at('in', name), { aspect: '1:1' })).crop);
    expect(boxes).toEqual([...single, ...single]);
    expect(existsSync(at('out'))).toBe(false);
  });

  test('takes a photo from a program and gives it the crop, and is refused where it cannot', async () => {
    const bytes = readFileSync(at('in', 'dogs.jpg'));
    const crops: Uint8Array[] = [];
    const options: BatchOptions = {
      inputs: ['-'],
      aspects: ['1:1'],
      cropper: { engine: 'full' },
      stdin: () => Promise.resolve({ bytes, name: 'dogs.jpg' }),
    };
    await expect(runBatch(options)).rejects.toMatchObject({ code: 'USAGE' });
    const stdout = (crop: Uint8Array): Promise<void> => Promise.resolve(void crops.push(crop));
    const { stdin: _, ...withoutStdin } = options;
    await expect(runBatch({ ...withoutStdin, stdout })).rejects.toMatchObject({ code: 'USAGE' });
    expect(crops).toEqual([]);
    await runBatch({ ...options, stdout });
    const { width, height, format } = await sharp(crops[0]).metadata();
    expect({ ratio: width / height, format, n: crops.length }).toEqual({ ratio: 1, format: 'jpeg', n: 1 });
  });

  test('says nothing on stdout or stderr, whatever happens', async () => {
    writeFileSync(at('in', 'broken.jpg'), 'no photo');
    writeFileSync(at('hints.jsonl'), `{"path": "none.jpg", "focus": [1, 1]}`);
    copyFileSync(at('in', 'dogs.jpg'), at('in', 'dogs-crop.jpg'));
    const options = {
      inputs: ['in'],
      output: 'out',
      hints: 'hints.jsonl',
      report: 'r.html',
      minConfidence: 1,
      resume: true,
    };
    const code = `
      const { runBatch } = await import(process.argv[1]);
      await runBatch(${JSON.stringify(options)});
      await runBatch({ ...${JSON.stringify(options)}, resume: false }).then(() => process.exit(1), () => undefined);`;
    const index = pathToFileURL(projectFile('dist', 'src', 'index.js')).href;
    const args = ['--input-type=module', '-e', code, index];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: at() });
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
    expect(readdirSync(at('out')).sort()).toEqual(['.framewright-journal.jsonl', 'review.jsonl']);
  });

  test.each<[string, Partial<BatchOptions>]>([
    ['--top 3 is more than the 2 candidates', { top: 3, candidates: 2 }],
    ['--no-journal has none', { resume: true, journal: false }],
    ['--fallback is for crops below', { fallback: 'keep' }],
    ['names the photos and their ratios itself', { choices: 'c.jsonl' }],
    ['instruct changes nothing about it', { inputs: [], choices: 'c.jsonl', instruct: 'more sky' }],
    ['there are no inputs', { inputs: [] }],
  ])('is refused: %s', async (message, options) => {
    const { told, listener } = recorder();
    const running = runBatch(rules(options), listener);
    await expect(running).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) as string });
    expect(told).toEqual([]);
  });
});

describe('a run that ends early', () => {
  test('by its signal rejects with the reason, and another goes on from it', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const first = recorder({ onPhoto: () => stop.abort(reason) });
    await expect(runBatch(rules({ signal: stop.signal }), first.listener)).rejects.toBe(reason);
    expect(first.ends).toMatchObject([{ error: reason, nDone: 1, canResume: true }]);
    expect(written()).toEqual(['dogs-crop.jpg']);
    const { mtimeMs } = statSync(at('out', 'dogs-crop.jpg'));

    await expect(runBatch(rules())).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    const again = recorder();
    const result = await runBatch(rules({ resume: true }), again.listener);
    expect(result).toMatchObject({ nTotal: 3, nEarlier: 1, nDone: 3, failures: [] });
    expect(again.told).toEqual([
      ...[
        'find, 3',
        'name, 3',
        'plan of 3',
        'check, 3',
        'open rules',
        'resume, 1 of 3',
        'begin, 1 of 3',
        '1 of 3, 0 failed',
        'dogs.jpg earlier',
      ],
      ...['mountains.jpg done', '2 of 3, 0 failed', 'pagoda.jpg done', '3 of 3, 0 failed', 'end'],
    ]);
    expect(statSync(at('out', 'dogs-crop.jpg')).mtimeMs).toBe(mtimeMs);
    expect(written()).toHaveLength(3);
  });

  test('ends while it still looks for photos, where it is told to then', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const { told, listener } = recorder();
    const running = runBatch(rules({ signal: stop.signal }), {
      ...listener,
      onPrepare: ({ step }) => {
        told.push(step);
        stop.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(told).toEqual(['find']);
  });

  test('is gone on from by the command too, which has the same defaults', async () => {
    await runBatch(rules());
    const resumed = await framewright(['--engine', 'rules', '--resume', '-o', at('out'), at('in')]);
    expect(resumed).toMatchObject({ code: 0, stderr: 'framewright: 3 of 3 photos were done earlier\n' });
  });

  test('with noMore has finished the photo in hand, and resolves', async () => {
    const noMore = new AbortController();
    const { listener } = recorder({ onPhoto: () => noMore.abort() });
    const result = await runBatch(rules({ noMore: noMore.signal }), listener);
    expect(result).toMatchObject({ isStopped: true, nDone: 1, nTotal: 3 });
    expect(written()).toEqual(['dogs-crop.jpg']);
  });

  test('by what a listener throws rejects with that, once the end is told', async () => {
    const bug = new Error('a bug');
    const { ends, listener } = recorder({
      onPhoto: () => {
        throw bug;
      },
    });
    await expect(runBatch(rules(), listener)).rejects.toBe(bug);
    expect(ends).toMatchObject([{ error: bug, nDone: 1 }]);
  });
});

test('of two runs in one folder one does the work', async () => {
  const both = await Promise.allSettled([runBatch(rules()), runBatch(rules())]);
  const refused = both
    .filter((each) => each.status === 'rejected')
    .map(({ reason }) => (reason as { code: string }).code);
  expect(refused).toHaveLength(1);
  expect(['OUTPUT_LOCKED', 'OUTPUT_EXISTS']).toContain(refused[0]);
});
