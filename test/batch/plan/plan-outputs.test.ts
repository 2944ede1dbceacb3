import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FramewrightError } from '../../../src/base/errors.js';
import { DEFAULT_NAME, parseName, unfit } from '../../../src/batch/plan/name-template.js';
import { planOutputs, type PlanOptions } from '../../../src/batch/plan/plan-outputs.js';
import { parseTargets } from '../../../src/crop/target.js';

const PARTS = { name: 'IMG_1', aspect: '4x5', rank: 1, index: '007', ext: '.jpg' };

describe('a name template', () => {
  test('is filled in, in folders of its own if it has some', () => {
    expect(parseName(DEFAULT_NAME)(PARTS)).toBe('IMG_1-4x5.jpg');
    expect(parseName('{aspect}/{index}_{name}{ext}')(PARTS)).toBe(path.join('4x5', '007_IMG_1.jpg'));
    expect(parseName('crops of {name} {rank}{ext}')(PARTS)).toBe('crops of IMG_1 1.jpg');
  });

  test('gets the output’s extension unless it has one that says a format', () => {
    expect(parseName('{name}')(PARTS)).toBe('IMG_1.jpg');
    expect(parseName('{name}.webp')(PARTS)).toBe('IMG_1.webp');
    expect(parseName('{name}.final')(PARTS)).toBe('IMG_1.final.jpg');
  });

  test('tells further candidates apart, by {rank} or by itself', () => {
    expect(parseName('{name}{ext}')({ ...PARTS, rank: 3 })).toBe('IMG_1-3.jpg');
    expect(parseName('{name}.png')({ ...PARTS, rank: 3 })).toBe('IMG_1-3.png');
    expect(parseName('{rank}-{name}{ext}')({ ...PARTS, rank: 3 })).toBe('3-IMG_1.jpg');
  });

  test('takes a photo’s name as it is, braces and dots included', () => {
    expect(parseName('{name}-{aspect}{ext}')({ ...PARTS, name: '{rank}.a$&' })).toBe('{rank}.a$&-4x5.jpg');
  });

  test.each([
    ['{name}/{aspect}{ext}', '..'],
    ['{name}/../{aspect}', 'x'],
    ['a/{name}/{aspect}{ext}', '..'],
    ['{name}', 'x/../../y'],
    ['{name}/{name}', '..'],
  ])('%s never leaves the output folder, whatever a photo is called: %s', (template, name) => {
    expect(() => parseName(template)({ ...PARTS, name })).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });

  test('takes a photo called of dots where they stay in the folder', () => {
    expect(parseName(DEFAULT_NAME)({ ...PARTS, name: '..' })).toBe('..-4x5.jpg');
    expect(parseName('{name}/{aspect}')({ ...PARTS, name: '...' })).toBe(path.join('...', '4x5.jpg'));
  });

  test('has no NUL', () => {
    expect(() => parseName('a\0{name}')).toThrow(/a name has no NUL/);
  });

  test('gives nothing on Windows that leads elsewhere than it says', () => {
    for (const name of ['..\\x', 'a/.. /x', 'a./x', 'con.jpg', 'x/LPT1', 'nul', 'a:b', 'a?.jpg', 'C:x']) {
      expect(unfit(name, 'win32'), name).toBeDefined();
    }
    for (const name of ['./a.jpg', 'console.jpg', 'com10.jpg', 'a b/c.d.jpg'])
      expect(unfit(name, 'win32')).toBeUndefined();
    for (const name of ['con.jpg', 'a:b', 'a./x', '..\\x']) expect(unfit(name, 'linux')).toBeUndefined();
  });

  test('with a mistake is refused with what there is', () => {
    for (const [template, says] of [
      ['{nam}{ext}', 'there is no {nam}; there are {name}, {aspect}, {rank}, {index}, {ext}'],
      ['{name', 'a brace stands alone'],
      ['{}', 'there is no {}'],
      ['/tmp/{name}{ext}', 'it must stay in the output folder'],
      ['../{name}{ext}', 'it must stay in the output folder'],
      ['', 'it names no file'],
      ['{aspect}/', 'it names no file'],
    ] as const) {
      expect(() => parseName(template)).toThrow(FramewrightError);
      expect(() => parseName(template)).toThrow(says);
    }
  });
});

describe('planned outputs', () => {
  const plan = (inputs: string[], aspects: string[], options: Partial<PlanOptions>) =>
    planOutputs(inputs, () => parseTargets(aspects, []), { top: 1, overlay: false, ...options });

  test('have the names of the template, overlays beside them', async () => {
    const planned = await plan(['in/a.jpg', 'in/b.gif'], ['1:1', '4:5'], {
      output: 'out/',
      top: 2,
      overlay: true,
      name: '{aspect}/{name}',
    });
    expect(planned.map(({ crops, overlays }) => ({ crops, overlays }))).toEqual([
      {
        crops: [
          ['out/1x1/a.jpg', 'out/1x1/a-2.jpg'],
          ['out/4x5/a.jpg', 'out/4x5/a-2.jpg'],
        ],
        overlays: ['out/1x1/a-overlay.jpg', 'out/4x5/a-overlay.jpg'],
      },
      {
        crops: [
          ['out/1x1/b.png', 'out/1x1/b-2.png'],
          ['out/4x5/b.png', 'out/4x5/b-2.png'],
        ],
        overlays: ['out/1x1/b-overlay.png', 'out/4x5/b-overlay.png'],
      },
    ]);
  });

  test('that would have one name are refused, with what would tell them apart', async () => {
    await expect(plan(['a/x.jpg', 'b/x.jpg'], [], { output: 'out/' })).rejects.toThrow(
      'a/x.jpg and b/x.jpg would both be written to out/x-crop.jpg; give them folders of their own with --output',
    );
    await expect(plan(['a/x.jpg', 'b/x.jpg'], [], { output: 'out/', name: '{name}' })).rejects.toThrow(
      '{index} in --name',
    );
    await expect(plan(['a.jpg'], ['1:1', '4:5'], { name: 'crop-{name}' })).rejects.toThrow(
      '{aspect} and {rank} in --name',
    );
    await expect(plan(['a.jpg'], [], { name: '{name}{ext}' })).rejects.toThrow('a.jpg is one of the photos itself');
    await expect(plan(['a.jpg'], [], { output: '-', name: '{name}' })).rejects.toThrow('goes to stdout has no name');
  });

  test('have a name that says their format', async () => {
    for (const output of ['c.HEIC', 'c.jxl', 'c.bmp', 'c.nef']) {
      await expect(plan(['a.jpg'], [], { output })).rejects.toThrow(
        `${output}: ${path.extname(output)} is not written`,
      );
    }
    for (const options of [{ output: 'c.jpg' }, { name: '{name}-small.jpg' }]) {
      await expect(plan(['a.jpg'], [], { ...options, extension: '.png' })).rejects.toThrow('--format, or call it .png');
    }
    for (const [output, extension] of [
      ['c.jpe', '.jpg'],
      ['c.tif', '.tiff'],
      ['c.png', '.png'],
    ] as const) {
      const [planned] = await plan(['a.gif'], [], { output, extension });
      expect(planned!.crops).toEqual([[output]]);
    }
  });

  test('of several files are no folder that is called like a picture', async () => {
    await expect(plan(['a.jpg'], ['1:1', '4:5'], { output: 'c.jpg' })).rejects.toThrow('one file, and 2 are asked for');
    await expect(plan(['a.jpg'], [], { output: 'c.jpg', name: '{name}-1' })).rejects.toThrow('--name gives it another');
    const [planned] = await plan(['a.jpg'], ['1:1', '4:5'], { output: 'c.jpg/' });
    expect(planned!.crops).toEqual([['c.jpg/a-1x1.jpg'], ['c.jpg/a-4x5.jpg']]);
  });

  test('are sidecars alone with xmp, pictures too where an output is named', async () => {
    expect(await plan(['in/a.jpg'], ['4:5'], { xmp: 'sidecar' })).toEqual([
      { input: 'in/a.jpg', crops: [[]], overlays: [], sidecar: path.join('in', 'a.xmp') },
    ]);
    const [both] = await plan(['in/a.jpg'], [], { xmp: 'sidecar', output: 'out/' });
    expect(both).toMatchObject({ crops: [['out/a-crop.jpg']], sidecar: path.join('in', 'a.xmp') });
  });

  test('in sidecars are refused where one would have to hold two', async () => {
    await expect(plan(['a.jpg'], ['1:1', '4:5'], { xmp: 'sidecar' })).rejects.toThrow(
      'a sidecar holds one crop, and 2 are',
    );
    await expect(plan(['a.jpg', 'a.png'], [], { xmp: 'sidecar' })).rejects.toThrow(
      'a.jpg and a.png have one sidecar, a.xmp',
    );
    await expect(plan(['-'], [], { xmp: 'sidecar', output: 'out/' })).rejects.toThrow(
      'on stdin has no file to note its crop in',
    );
  });
});
