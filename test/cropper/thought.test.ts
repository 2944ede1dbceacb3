import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../gguf/index.js';
import {
  openCropper,
  type ConversationPart,
  type Cropper,
  type CropOptions,
  type CropResult,
  type Target,
  type Thought,
} from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

const photo = examplePhoto('dogs');
let nano: Cropper;
let toy: Cropper;
let folder: string;
beforeAll(async () => {
  nano = await openCropper({ gpu: 'cpu', threads: 1 });
  // Without a manifest, so with the full prompts: reasons are sentences, which native code generates.
  folder = await mkdtemp(join(tmpdir(), 'framewright-thought-'));
  const { textPath } = await writeToyPair(folder, { seed: 3 });
  toy = await openCropper({ model: textPath, imageTokens: 64, kvType: 'f32', gpu: 'cpu', threads: 1 });
});
afterAll(async () => {
  await nano.dispose();
  await toy.dispose();
  await rm(folder, { recursive: true, force: true });
});

interface Told {
  readonly thought: Thought;
  readonly target: Target | undefined;
}

interface Heard {
  readonly result: CropResult;
  readonly told: Told[];
  readonly parts: readonly ConversationPart[];
}

async function heard(cropper: Pick<Cropper, 'crop'>, options: CropOptions = {}): Promise<Heard> {
  const told: Told[] = [];
  let parts: readonly ConversationPart[] = [];
  const result = await cropper.crop(photo, {
    ...options,
    onThought: (thought, target) => told.push({ thought, target }),
    onConversation: (said) => (parts = said),
  });
  return { result, told, parts };
}

/** Runs of the same kind put together; bytes as they are. */
function pieced(told: readonly Told[]): unknown[] {
  const runs: { kind: string; text: string; tokens?: number[]; rgb?: Buffer }[] = [];
  for (const { thought } of told) {
    if (thought.kind === 'image') runs.push({ kind: 'image', text: '', rgb: Buffer.from(thought.image.rgb) });
    if (thought.kind !== 'prompt' && thought.kind !== 'token') continue;
    const kind = thought.kind === 'prompt' ? 'prompt' : 'answer';
    let last = runs.at(-1);
    if (last?.kind !== kind) runs.push((last = { kind, text: '', ...(kind === 'answer' ? { tokens: [] } : {}) }));
    last.text += thought.text;
    if (thought.kind === 'token') last.tokens!.push(thought.token);
  }
  return runs;
}

function conversationOf(parts: readonly ConversationPart[]): unknown[] {
  return parts.map((part) => {
    if (part.kind === 'image') return { kind: 'image', text: '', rgb: Buffer.from(part.image.rgb) };
    const { kind, text, tokens } = part;
    return { kind, text, ...(kind === 'answer' ? { tokens: [...tokens] } : {}) };
  });
}

const withoutTimes = ({ timingsMs: _, ...result }: CropResult): string => JSON.stringify(result);

describe.each([
  ['the bundled model', (): Cropper => nano],
  ['a model that gives reasons in words of its own', (): Cropper => toy],
])('%s', (_, cropperOf) => {
  test('is told of word for word: what is told, put together, is the conversation', async () => {
    const { told, parts } = await heard(cropperOf(), { candidates: 3 });
    expect(pieced(told)).toEqual(conversationOf(parts));
  });

  test.each<[string, CropOptions]>([
    ['', {}],
    [' by votes', { votes: 3 }],
    [' drawn by chance', { temperature: 1, seed: 7 }],
  ])('answers%s to the byte as it does unheard', async (__, options) => {
    const { result } = await heard(cropperOf(), { candidates: 3, ...options });
    const unheard = await cropperOf().crop(photo, { candidates: 3, ...options });
    expect(withoutTimes(result)).toBe(withoutTimes(unheard));
  });
});

test('stages, images, prompts and what came of them are told in order', async () => {
  const { told, result } = await heard(nano);
  const order = told.map(({ thought }) => `${thought.stage}: ${thought.kind}`);
  expect(order.filter((word, i) => word !== order[i - 1])).toEqual([
    ...['analyse: stage', 'analyse: prompt', 'analyse: image', 'analyse: prompt', 'analyse: token'],
    ...['analyse: prompt', 'analyse: elements'],
    ...['propose: stage', 'propose: prompt', 'propose: image', 'propose: prompt', 'propose: token'],
    ...['propose: prompt', 'propose: candidates'],
    ...['decide: stage', 'decide: prompt', 'decide: token', 'decide: decision', 'decide: token'],
  ]);
  const only = <K extends Thought['kind']>(kind: K): Extract<Thought, { kind: K }>[] =>
    told.flatMap(({ thought }) => (thought.kind === kind ? [thought as Extract<Thought, { kind: K }>] : []));
  expect(only('image').map(({ isEnhanced }) => isEnhanced)).toEqual([false, true]);
  const { width, height } = only('image')[0]!.image.frame;
  expect({ widthPx: width, heightPx: height }).toEqual(result.frame);
  expect(only('elements').map(({ elements }) => elements)).toEqual([result.analysis]);
  expect(only('candidates').map(({ boxes }) => boxes)).toEqual([result.candidates.map(({ box }) => box)]);
  const [{ best, probabilities }] = only('decision') as [Extract<Thought, { kind: 'decision' }>];
  expect(best).toBe(result.best);
  for (const [i, { modelScore }] of result.candidates.entries()) expect(probabilities[i]).toBeCloseTo(modelScore, 6);
});

test('a token is told with its choice exactly where the model was asked for it', async () => {
  const before = nano.counters();
  const { told } = await heard(nano);
  const { nDecided, nForced } = nano.counters();
  const tokens = told.flatMap(({ thought }) => (thought.kind === 'token' ? [thought] : []));
  expect(tokens.filter(({ choice }) => choice)).toHaveLength(nDecided - before.nDecided);
  expect(tokens.filter(({ choice }) => !choice)).toHaveLength(nForced - before.nForced);
  for (const { text, choice } of tokens) {
    if (!choice) continue;
    const options = choice.options!;
    expect(options.length).toBeGreaterThan(1);
    expect(options[0]).toEqual({ text, probability: choice.probability });
    expect(options.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThan(1.0001);
  }
});

test('inside a sentence of its own the model is told of with the probability of each token, without the others', async () => {
  const { told, result } = await heard(toy, { candidates: 2 });
  const free = told.flatMap(({ thought }) =>
    thought.kind === 'token' && thought.choice && !thought.choice.options ? [thought] : [],
  );
  for (const { choice } of free) {
    expect(choice!.probability).toBeGreaterThan(0);
    expect(choice!.probability).toBeLessThanOrEqual(1);
  }
  const words = (stage: string): string =>
    told.map(({ thought }) => (thought.kind === 'token' && thought.stage === stage ? thought.text : '')).join('');
  expect(words('decide')).toContain(result.why);
  expect(words('propose')).toContain(result.candidates[1]!.why);
  expect(free.length).toBeGreaterThan(3);
});

test('each vote is told of by its number, and the answer in the first', async () => {
  const { told, parts } = await heard(nano, { votes: 3 });
  const decide = told.filter(({ thought }) => thought.stage === 'decide' && 'text' in thought);
  const voteOf = ({ thought }: Told): number | undefined => ('vote' in thought ? thought.vote : undefined);
  const prompts = [0, 1, 2].map((vote) =>
    pieced(decide.filter((each) => voteOf(each) === vote && each.thought.kind === 'prompt')),
  );
  expect(new Set(prompts.map((each) => JSON.stringify(each))).size).toBe(3);
  const shared = told.filter((each) => !(voteOf(each)! > 0));
  expect(pieced(shared)).toEqual(conversationOf(parts));
});

test('of several ratios each is told of with its own, and what they share with none', async () => {
  const told: Told[] = [];
  const conversations: [Target, readonly ConversationPart[]][] = [];
  for await (const { results } of nano.cropEach([photo], {
    aspects: ['1:1', '16:9'],
    onThought: (thought, target) => told.push({ thought, target }),
    onConversation: (parts, target) => conversations.push([target, parts]),
  })) {
    expect(results).toHaveLength(2);
  }
  const shared = told.filter(({ target }) => target === undefined);
  expect(new Set(shared.map(({ thought }) => thought.kind))).toContain('elements');
  expect(shared.some(({ thought }) => thought.stage === 'decide')).toBe(false);
  for (const [target, parts] of conversations) {
    const own = told.filter((each) => each.target === target);
    expect(new Set(own.map(({ thought }) => thought.stage))).toEqual(new Set(['propose', 'decide']));
    expect(pieced([...shared, ...own])).toEqual(conversationOf(parts));
  }
});

test('of a photo that is held only what is new is told', async () => {
  await using held = await nano.hold(photo);
  const listen = async (without: readonly 'enhancement'[]): Promise<{ told: Told[]; result: CropResult }> => {
    const told: Told[] = [];
    const result = await held.crop({ without, onThought: (thought, target) => told.push({ thought, target }) });
    return { told, result };
  };
  const written = (told: readonly Told[], stage: string): number =>
    told.filter(({ thought }) => thought.kind === 'token' && thought.stage === stage).length;
  const enhanced = await listen([]);
  const plain = await listen(['enhancement']);
  const again = await listen(['enhancement']);
  expect([written(enhanced.told, 'analyse'), written(plain.told, 'analyse')]).toEqual([expect.any(Number), 0]);
  expect(written(enhanced.told, 'analyse')).toBeGreaterThan(10);
  expect(written(plain.told, 'propose')).toBeGreaterThan(10);
  expect(written(again.told, 'propose') + written(again.told, 'decide')).toBe(0);
  expect(plain.told.flatMap(({ thought }) => (thought.kind === 'image' ? [thought.isEnhanced] : []))).toEqual([false]);
  expect(again.told.map(({ thought }) => thought.kind)).toContain('stage');
  expect(withoutTimes(again.result)).toBe(withoutTimes(plain.result));
});

test('an engine without a model tells what it found', async () => {
  await using rules = await openCropper({ engine: 'rules' });
  const { told, result } = await heard(rules);
  expect(told.map(({ thought }) => thought)).toEqual([
    { kind: 'elements', stage: 'analyse', elements: result.analysis },
    { kind: 'candidates', stage: 'propose', boxes: result.candidates.map(({ box }) => box) },
  ]);
});

test('a listener that throws amid a sentence ends the crop with its error and leaves the model usable', async () => {
  const thrown = new Error('mine');
  const before = await toy.crop(photo, { candidates: 2 });
  const call = toy.crop(photo, {
    candidates: 2,
    onThought: (thought) => {
      if (thought.kind === 'token' && thought.choice && !thought.choice.options) throw thrown;
    },
  });
  await expect(call).rejects.toBe(thrown);
  expect(withoutTimes(await toy.crop(photo, { candidates: 2 }))).toBe(withoutTimes(before));
});
