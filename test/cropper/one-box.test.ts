import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/index.js';
import { openCropper, type ConversationPart, type Cropper, type CropResult } from '../../src/index.js';
import type { Size } from '../../src/base/geometry.js';
import { cropRectangle } from '../../src/crop/crop-rectangle.js';
import { vlmMethod } from '../../src/eval/methods/vlm.js';
import { frameMap } from '../../src/photo/frame.js';
import { photoAttention } from '../../src/attention/photo-attention.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const root = mkdtempSync(path.join(tmpdir(), 'framewright-one-box-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A toy with the files of an example, or with those given, in place of the weights they were written for. */
async function toyLike(
  example: string,
  changes: { profile?: object; prompts?: Record<string, string> } = {},
): Promise<string> {
  const folder = mkdtempSync(path.join(root, `${example}-`));
  cpSync(projectFile('examples', 'models', example), folder, { recursive: true });
  const pair = await writeToyPair(folder, { seed: 3, family: example === 'framelite' ? 'qwen35' : 'qwen3vl' });
  renameSync(pair.textPath, path.join(folder, `${example}.gguf`));
  renameSync(pair.mmprojPath, path.join(folder, `${example}-mmproj.gguf`));
  if (changes.profile) writeFileSync(path.join(folder, 'profile.json'), JSON.stringify(changes.profile));
  for (const [name, text] of Object.entries(changes.prompts ?? {})) writeFileSync(path.join(folder, name), text);
  return folder;
}

function sizeOf({ photo }: CropResult): Size {
  return { width: photo.widthPx, height: photo.heightPx };
}

function textsOf(parts: readonly ConversationPart[], kind: 'prompt' | 'answer'): string[] {
  return parts.flatMap((part) => (part.kind === kind ? [part.text] : []));
}

/** Numbers of an answer as they are heard: past the edge is the edge. */
function numbersOf(text: string): [number, number, number, number] {
  const said = [...text.matchAll(/(?<!_)\d+/g)].map(([digits], i) => Math.min(i < 2 ? 999 : 1000, Number(digits)));
  return said as [number, number, number, number];
}

describe('ShutterMuse’s way of asking, on a toy', () => {
  let cropper: Cropper;
  beforeAll(async () => {
    cropper = await openCropper({ model: await toyLike('shuttermuse'), gpu: 'cpu', threads: 1 });
  });
  afterAll(() => cropper.dispose());

  test.each([
    ['4:5', '3:4'],
    ['16:9', '16:9'],
    [undefined, '4:3'], // the nearest to the photo's own
  ] as const)('a crop of %s is asked for as %s, and is exact', async (aspect, told) => {
    let parts: readonly ConversationPart[] = [];
    const result = await cropper.crop(examplePhoto('mountains'), {
      ...(aspect && { aspect }),
      minSize: 0,
      temperature: 1,
      seed: 5,
      onConversation: (said) => (parts = said),
    });
    const [prompt, after] = textsOf(parts, 'prompt');
    expect(prompt).toMatch(/^<\|im_start\|>user\n<\|vision_start\|>$/); // no system prompt
    expect(after).toContain(`请按照${told}的比例输出bounding box`);
    const [answer] = textsOf(parts, 'answer');
    expect(answer).toMatch(/^\(\d{1,4},\d{1,4}\),\(\d{1,4},\d{1,4}\)<\|im_end\|>$/);
    const box = frameMap(sizeOf(result), { width: 1000, height: 1000 }).toPhoto.box(numbersOf(answer!));
    const [width, height] = (aspect ?? '0:0').split(':').map(Number);
    expect(result.crop).toEqual(
      cropRectangle({ photo: sizeOf(result), box, ...(aspect && { aspect: { width: width!, height: height! } }) }),
    );
    expect(result.candidates).toHaveLength(1);
    expect(result).not.toHaveProperty('confidence');
    expect(result).toMatchObject({
      analysis: [],
      model: { promptVersion: expect.stringMatching(/^shuttermuse\/own\+/) as string },
    });
    expect(Object.keys(result.timingsMs)).toEqual(['decode', 'decide']);
  });

  test('several ratios go on from one look at the photo', async () => {
    const before = cropper.counters();
    const results: CropResult[] = [];
    for await (const result of cropper.cropAll([examplePhoto('dogs')], { aspects: ['1:1', '4:5', '16:9'] }))
      results.push(result);
    expect(results.map(({ target }) => target.aspect)).toEqual(['1:1', '4:5', '16:9']);
    for (const { crop, target } of results) {
      const [width, height] = target.aspect!.split(':').map(Number);
      expect(crop.width * height!).toBe(crop.height * width!);
    }
    expect(cropper.counters().nImages - before.nImages).toBe(1);
  });

  test('held, it answers the same question the same way, and ranks boxes by how likely it is to say them', async () => {
    await using held = await cropper.hold(examplePhoto('pagoda'));
    const first = await held.crop({ aspect: '4:5' });
    expect({ ...(await held.crop({ aspect: '4:5' })), timingsMs: 0 }).toEqual({ ...first, timingsMs: 0 });
    const { width, height } = sizeOf(first);
    const boxes = [0.5, 0.7, 0.9].map((share) => ({
      x: 0,
      y: 0,
      width: Math.round(width * share),
      height: Math.round(height * share),
    }));
    const likelihoods = await held.rank(boxes);
    expect(likelihoods).toHaveLength(3);
    for (const likelihood of likelihoods) expect(likelihood).toBeLessThan(0);
    expect(await held.rank(boxes)).toEqual(likelihoods);
  });

  test('what it is not asked is said to be missing', async () => {
    const photo = examplePhoto('dandelion');
    const usage = (message: RegExp): object => ({ code: 'USAGE', message: expect.stringMatching(message) as string });
    await expect(cropper.analyse(photo)).rejects.toMatchObject(usage(/the model shuttermuse names no composition/));
    await expect(cropper.crop(photo, { votes: 3 })).rejects.toMatchObject(usage(/one box .* there are no votes/));
    await expect(cropper.crop(photo, { minConfidence: 0.2 })).rejects.toMatchObject(usage(/there is no confidence/));
    await expect(cropper.crop(photo, { instruct: 'more sky' })).rejects.toMatchObject(usage(/takes no instruction/));
    await using held = await cropper.hold(photo);
    await expect(held.crop({ without: ['proposal'] })).rejects.toMatchObject(
      usage(/there is no stage proposal, to do without: .* answers with one box, and is asked for decision; .* none$/),
    );
    await expect(held.crop({ without: ['decision'] })).rejects.toMatchObject(usage(/the stage decision is its answer/));
    await expect(photoAttention(cropper, photo)).rejects.toMatchObject(
      usage(/profile shuttermuse answers with one box/),
    );
  });

  test('it is evaluated as others are', async () => {
    const method = await vlmMethod(cropper, { name: 'toy' });
    const photo = { id: 'dogs', path: examplePhoto('dogs'), split: undefined, size: { width: 799, height: 1200 } };
    expect(await method.crop!(photo, {})).toHaveLength(1);
    expect(
      await method.rank!(
        photo,
        [
          [0, 0, 400, 600],
          [100, 100, 799, 1200],
        ],
        {},
      ),
    ).toHaveLength(2);
    await expect(method.analyse!(photo, {})).rejects.toThrow(/names no composition/);
    await method.photoDone!(photo);
  });
});

describe('a profile of one’s own', () => {
  const base = { schemaVersion: 1, name: 'own', prompts: { decision: 'crop.md' } };

  test('with verdicts: the photo to keep is kept whole, the one to reject says so', async () => {
    const verdicts = {
      keep: '{"class": 1}',
      refine: '{"class": 2, "bbox": [{{x1}}, {{y1}}, {{x2}}, {{y2}}]}',
      reject: '{"class": 3}',
    };
    const profile = { ...base, stages: ['decision'], answer: { verdicts } };
    await using cropper = await openCropper({ model: await toyLike('framelite', { profile }), gpu: 'cpu', threads: 1 });
    const seen = new Map<string, CropResult>();
    for (let seed = 0; seed < 30 && seen.size < 3; seed++) {
      const result = await cropper.crop(examplePhoto('dandelion'), { temperature: 5, seed, minSize: 0 });
      seen.set(result.modelVerdict!, result);
    }
    expect([...seen.keys()].sort()).toEqual(['keep', 'refine', 'reject']);
    const whole = { x: 0, y: 0, ...sizeOf(seen.get('keep')!) };
    expect(seen.get('keep')).toMatchObject({ verdict: 'keep', crop: whole });
    expect(seen.get('refine')).toMatchObject({ verdict: 'crop' });
    expect(seen.get('reject')).toMatchObject({
      crop: whole,
      notes: [expect.stringMatching(/^is rejected by the model/) as string],
    });
    const kept = await cropper.crop(examplePhoto('dandelion'), { temperature: 5, seed: 0, aspect: '1:1', minSize: 0 });
    expect(kept.crop.width).toBe(kept.crop.height);
  });

  test('in all four stages, with the prompts the bundled model was trained on, is the bundled model', async () => {
    const folder = mkdtempSync(path.join(root, 'nano-'));
    cpSync(projectFile('gguf', 'nano'), folder, { recursive: true });
    for (const stage of ['analyse', 'propose', 'decide'])
      cpSync(projectFile('prompts', 'compact', `${stage}.md`), path.join(folder, `${stage}.md`));
    const { compact } = JSON.parse(readFileSync(projectFile('prompts', 'profiles.json'), 'utf8')) as {
      compact: { reasons: object };
    };
    const profile = {
      schemaVersion: 1,
      name: 'mine',
      stages: ['analysis', 'enhancement', 'proposal', 'decision'],
      prompts: { analysis: 'analyse.md', proposal: 'propose.md', decision: 'decide.md' },
      style: 'plain',
      reasons: compact.reasons,
    };
    writeFileSync(path.join(folder, 'profile.json'), JSON.stringify(profile));
    const manifest = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as object;
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ ...manifest, promptProfile: 'profile.json' }));
    const cropOf = async (model: string): Promise<CropResult> => {
      await using cropper = await openCropper({ model, gpu: 'cpu', threads: 1 });
      return await cropper.crop(examplePhoto('pagoda'), { aspect: '4:5', votes: 2 });
    };
    const [own, bundled] = [await cropOf(folder), await cropOf('nano')];
    expect(own.model!.promptVersion).toMatch(/^mine\/own\+/);
    expect({ ...own, timingsMs: 0, model: { ...own.model, promptVersion: '' } }).toEqual({
      ...bundled,
      timingsMs: 0,
      model: { ...bundled.model, promptVersion: '' },
    });
  });

  test('with an analysis before the answer, drawn or not, in pixels or thousandths', async () => {
    for (const [stages, coordinates] of [
      [['analysis', 'decision'], 'pixels'],
      [['analysis', 'enhancement', 'decision'], 'thousand'],
    ] as const) {
      const profile = {
        ...base,
        stages,
        coordinates,
        prompts: { ...base.prompts, analysis: 'look.md', system: 'system.md' },
        answer: { box: '[{{x1}}, {{y1}}, {{x2}}, {{y2}}] because "{{why}}"' },
        ratios: { words: { '1:1': 'square' } },
      };
      const prompts = {
        'look.md': 'Name its elements{{#pixels}}, {{width}} x {{height}}{{/pixels}}, at most {{maxElements}}.',
        'system.md': 'You crop photos.',
        'crop.md':
          '{{#drawn}}Drawn. {{/drawn}}{{^ratio}}Any shape.{{/ratio}}{{#ratio}}Make it {{ratio}}.{{/ratio}} {{#instruct}}Wish: {{instruct}}{{/instruct}}',
      };
      const model = await toyLike('framelite', { profile, prompts });
      await using cropper = await openCropper({ model, gpu: 'cpu', threads: 1 });
      let parts: readonly ConversationPart[] = [];
      const onConversation = (said: readonly ConversationPart[]): void => void (parts = said);
      const photo = examplePhoto('dogs');
      const result = await cropper.crop(photo, { aspect: '1:1', instruct: 'more sky', onConversation });
      const asked = textsOf(parts, 'prompt').join('');
      expect(asked).toContain('system\nYou crop photos.<|im_end|>');
      const { widthPx, heightPx } = result.frame;
      expect(asked.includes(`, ${widthPx} x ${heightPx}, at most 8.`)).toBe(coordinates === 'pixels');
      expect(asked.includes('Drawn. Make it square. Wish: more sky')).toBe(stages.length === 3);
      expect(parts.filter(({ kind }) => kind === 'image')).toHaveLength(stages.length - 1);
      const [elements, box] = textsOf(parts, 'answer');
      expect(elements).toMatch(/^\{"label": "/);
      expect(box).toMatch(/^\[\d+, \d+, \d+, \d+\] because "[^"]+"<\|im_end\|>$/);
      // Bytes of random weights that are no text are left out of the reason.
      expect(box!.replaceAll('\uFFFD', '')).toContain(`because "${result.why}`);
      const space = coordinates === 'pixels' ? { width: widthPx, height: heightPx } : { width: 1000, height: 1000 };
      expect(result.analysis).toEqual(await cropper.analyse(photo));
      const lasts = elements!.split('\n').flatMap((line) => [...line.matchAll(/(?<!_)\d+/g)].map(([n]) => Number(n)));
      expect(Math.max(...lasts)).toBeLessThan(1.1 * Math.max(space.width, space.height));
      const free = await cropper.crop(photo, { onConversation });
      expect(textsOf(parts, 'prompt').join('')).toContain('Any shape.');
      expect(free.candidates).toHaveLength(1);

      await using held = await cropper.hold(photo);
      const without = await held.crop({ without: ['analysis'] });
      expect(without.analysis).toEqual([]);
      await expect(held.crop({ without: ['proposal'] })).rejects.toThrow(/can do without analysis/);
    }
  });
});
