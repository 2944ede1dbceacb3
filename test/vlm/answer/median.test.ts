import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { packageFile } from '../../../src/files/package-root.js';
import type { VisionModel } from '../../../src/runtime/model.js';
import type { Session } from '../../../src/runtime/session/session.js';
import { AnswerTokens } from '../../../src/vlm/answer/answer-tokens.js';
import type { ChosenToken, ConversationListener } from '../../../src/vlm/answer/conversation-listener.js';
import { medianValue } from '../../../src/vlm/answer/median.js';
import type { OptionSet } from '../../../src/vlm/answer/option-walk.js';
import { range } from '../../../src/vlm/answer/range.js';
import { SampledAnswer, type AnswerOptions } from '../../../src/vlm/answer/sampled-answer.js';
import { END_OF_ANSWER, type Following } from '../../../src/vlm/answer/writer.js';
import { Conversation } from '../../../src/vlm/prompt/conversation.js';
import { useToy } from '../../runtime/toy.js';

type Odds = (sequences: readonly Int32Array[]) => Promise<number[]>;

/** The probability of every option, by looking into every beginning there is. */
async function probabilities(options: OptionSet, odds: Odds): Promise<number[]> {
  const all = new Array<number>(options.count).fill(0);
  const visit = async (alive: readonly number[], prefix: readonly number[], mass: number): Promise<void> => {
    if (alive.length === 1) {
      all[alive[0]!] = mass;
      return;
    }
    const tokens = [...new Set(alive.map((option) => options.tokenAt(option, prefix.length)!))];
    const weights = (await odds(tokens.map((token) => Int32Array.of(...prefix, token)))).map(Math.exp);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, token] of tokens.entries()) {
      const rest = alive.filter((option) => options.tokenAt(option, prefix.length) === token);
      await visit(rest, [...prefix, token], (mass * weights[i]!) / total);
    }
  };
  await visit(
    Array.from({ length: options.count }, (_, i) => i),
    [],
    1,
  );
  return all;
}

function medianOf(masses: readonly number[]): number {
  let sum = 0;
  return masses.findIndex((mass) => (sum += mass) >= 0.5);
}

/** Numbers written in digits and closed by a comma, as a model without tokens for whole numbers has them. */
function inDigits(allowed: readonly number[]): OptionSet {
  const texts = allowed.map((number) => `${number},`);
  return { count: texts.length, tokenAt: (index, depth) => texts[index]!.codePointAt(depth) };
}

/** Odds that depend on everything written before, the same each time they are asked for. */
function oddsOf(seed: number, spread: number): Odds {
  return (sequences) =>
    Promise.resolve(
      sequences.map((tokens) => spread * seededRandom([...tokens].reduce((sum, t) => sum * 131 + t, seed) >>> 0)()),
    );
}

describe('the median of numbers in digits', () => {
  test('is that of every number computed, whatever the odds', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const [first, step] = [Math.floor(random() * 120), 1 + Math.floor(random() * 4)];
      const allowed = range(first, first + Math.floor(random() * 900)).filter((number) => number % step === 0);
      if (allowed.length === 0) continue;
      const odds = oddsOf(seed, 1 + 12 * random());
      const options = inDigits(allowed);
      const median = await medianValue(options, (option) => option, odds);
      expect(median, `seed ${seed}`).toBe(medianOf(await probabilities(options, odds)));
    }
  });

  test('looks only into beginnings on both sides of it', async () => {
    const options = inDigits(range(0, 999));
    // Nearly all of it begins with 4, and then with 48.
    const odds: Odds = (sequences) =>
      Promise.resolve(sequences.map((tokens) => ('48'.codePointAt(tokens.length - 1) === tokens.at(-1) ? 9 : 0)));
    const asked: number[] = [];
    const median = await medianValue(
      options,
      (option) => option,
      (sequences) => {
        asked.push(sequences.length);
        return odds(sequences);
      },
    );
    expect(median).toBe(medianOf(await probabilities(options, odds)));
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(asked.reduce((sum, n) => sum + n, 0)).toBeLessThan(60); // of the 3,110 that there are
  });
});

function chosen(
  model: VisionModel,
  session: Session,
  options: AnswerOptions,
): { readonly chat: Conversation<never>; readonly answer: SampledAnswer } {
  const chat = new Conversation<never>(session, model, new AnswerTokens(model));
  return { chat, answer: new SampledAnswer(chat, options) };
}

/** Answers a form's numbers one after the other and holds each to all of them computed. */
async function expectMedians(
  model: VisionModel,
  session: Session,
  then: readonly [Following, ...Following[]],
): Promise<number> {
  const { chat, answer } = chosen(model, session, { numbers: 'median' });
  const tokens = chat.tokens;
  let nOther = 0;
  answer.literal('{"box":[');
  for (const allowed of [range(0, 223), range(3, 130), range(40, 224), [7, 70, 71, 109, 110, 200, 201, 1000]]) {
    await chat.flush();
    const odds: Odds = async (sequences) => (await session.score(sequences)).map((logProbs) => logProbs.at(-1)!);
    const all = await probabilities(tokens.integerSet(allowed, then), odds);
    const ofValues = allowed.map((_, i) => then.reduce((sum, _then, t) => sum + all[i * then.length + t]!, 0));
    const field = await answer.integer(allowed, ...then);
    expect(field.value).toBe(allowed[medianOf(ofValues)]);
    if (ofValues.indexOf(Math.max(...ofValues)) !== medianOf(ofValues)) nOther++;
  }
  return nOther;
}

describe('an answer whose numbers are medians', () => {
  const toy = useToy();

  test('has those of all numbers computed, by a model that writes digits', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 512, nSeqMax: 40, nScratchMax: 32 });
    await using session = context.session();
    expect(model.tokenize('123').length).toBe(3);
    expect(await expectMedians(model, session, [','])).toBeGreaterThan(0);
  });

  test('has those of the nano, whose numbers are one token each and take one look', async () => {
    const { runtime } = toy();
    const [path, mmprojPath] = ['nano.gguf', 'nano-mmproj.gguf'].map((name) => packageFile('gguf', 'nano', name)) as [
      string,
      string,
    ];
    await using model = await runtime.loadModel({ path, mmprojPath, threads: 1 });
    await using context = await model.createContext({ nCtx: 512, nSeqMax: 4 });
    await using session = context.session();
    expect(model.tokenize('123').length).toBe(1);
    expect(await expectMedians(model, session, [',', '],["'])).toBeGreaterThan(0);
    const { chat, answer } = chosen(model, session, { numbers: 'median' });
    const before = context.counters().nDecodeCalls;
    answer.literal(',');
    await answer.integer(range(0, 200), ',');
    expect(context.counters().nDecodeCalls - before).toBe(1);
    expect(chat.counters).toMatchObject({ nDecided: 1 });
  });

  test('tells what each of its tokens was chosen among, where it had to be looked at', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 512, nSeqMax: 40, nScratchMax: 32 });
    await using session = context.session();
    const heard: { readonly token: number; readonly chosen: ChosenToken | undefined }[] = [];
    const { chat, answer } = chosen(model, session, { numbers: 'median' });
    const hear = (token: number, among?: ChosenToken): number => heard.push({ token, chosen: among });
    chat.listener = { token: hear } as unknown as ConversationListener;
    answer.literal('[');
    const { value } = await answer.integer(range(0, 300), ',');
    const told = heard.slice(1, -1);
    expect(told.map(({ token }) => token)).toEqual([...model.tokenize(String(value))]);
    for (const { token, chosen: of } of told) {
      const { tokens, logProbs } = of!.among!;
      expect(logProbs[tokens.indexOf(token)]).toBe(of!.logProb);
    }
    expect(told[0]!.chosen!.among!.tokens).toHaveLength(10);
  });

  test('is the same again, and as drawn where a temperature is asked for', async () => {
    const { model } = toy();
    await using context = await model.createContext({ nCtx: 512, nSeqMax: 40, nScratchMax: 32 });
    const write = async (options: AnswerOptions): Promise<number[]> => {
      await using session = context.session();
      const { answer } = chosen(model, session, options);
      answer.literal('[');
      const numbers: number[] = [];
      for (let i = 0; i < 4; i++)
        numbers.push((await answer.integer(range(0, 300), i < 3 ? ',' : END_OF_ANSWER)).value);
      return numbers;
    };
    const medians = await write({ numbers: 'median' });
    expect(await write({ numbers: 'median' })).toEqual(medians);
    expect(await write({})).toEqual(await write({ numbers: 'likeliest' }));
    const drawn = (numbers: 'median' | 'likeliest'): AnswerOptions => ({
      numbers,
      temperature: 1,
      random: seededRandom(4),
    });
    expect(await write(drawn('median'))).toEqual(await write(drawn('likeliest')));
  });
});
