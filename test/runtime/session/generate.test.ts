import { expect, test } from 'vitest';
import type { Context } from '../../../src/runtime/session/context.js';
import type { GeneratedToken } from '../../../src/runtime/types.js';
import { someTokens, useToy, wholeVocabulary } from '../toy.js';
import { greatestDifference, NATS_APART } from '../../support/reproducibility.js';

const toy = useToy();

async function createContext(nCtx = 512): Promise<Context> {
  return toy().model.createContext({ nCtx, flashAttention: false, kvType: 'f32' });
}

const JSON_GRAMMAR = String.raw`root ::= "{\"x\":" number ",\"why\":\"" [a-z ]{1,12} "\"}"
number ::= [1-9] [0-9]{0,2}`;

test('greedy generation takes the most probable token each time, and the session holds exactly the result', async () => {
  await using context = await createContext();
  const choices = wholeVocabulary(toy().model);
  const session = context.session();
  await session.append(someTokens(5));
  const result = await session.generate({ maxTokens: 12 });
  expect(result.finish === 'length' ? 12 : result.tokens.length).toBe(result.tokens.length);
  expect([session.nTokens, session.nPos]).toEqual([5 + result.tokens.length, 5 + result.tokens.length]);

  const byHand = context.session();
  let next = await byHand.append(someTokens(5), { choices });
  for (const [i, token] of result.tokens.entries()) {
    expect(next.logProbs.indexOf(Math.max(...next.logProbs))).toBe(token);
    expect(Math.abs(result.logProbs[i]! - next.logProbs[token]!)).toBeLessThan(NATS_APART.unquantisedCache);
    next = await byHand.append(Int32Array.of(token), { choices });
  }
  const { logProbs } = await session.append(new Int32Array(), { choices });
  expect(greatestDifference(logProbs, next.logProbs)).toBeLessThan(NATS_APART.unquantisedCache);
  expect(result.text).toBe(toy().model.detokenize(result.tokens));
});

test('what follows a generation is decoded with its last token in one batch', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  const before = context.counters();
  const { tokens } = await session.generate({ maxTokens: 4 });
  expect(context.counters().nDecodeCalls - before.nDecodeCalls).toBe(3);
  const { logProbs } = await session.append(someTokens(3, 2), { choices: wholeVocabulary(toy().model) });
  expect(context.counters().nDecodeCalls - before.nDecodeCalls).toBe(4);
  expect(context.counters().nTokensDecoded - before.nTokensDecoded).toBe(7);
  const fresh = context.session();
  const all = Int32Array.from([...someTokens(5), ...tokens, ...someTokens(3, 2)]);
  const { logProbs: expected } = await fresh.append(all, { choices: wholeVocabulary(toy().model) });
  expect(greatestDifference(logProbs, expected)).toBeLessThan(NATS_APART.unquantisedCache);
});

test('a grammar is obeyed, ends the generation when it is complete, and is greedy among what it allows', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  const { text, finish, tokens } = await session.generate({ grammar: JSON_GRAMMAR, maxTokens: 100 });
  expect(finish).toBe('end');
  expect(text).toMatch(/^\{"x":[1-9][0-9]{0,2},"why":"[a-z ]{1,12}"\}$/);
  expect(session.nTokens).toBe(5 + tokens.length);

  // One digit: the most probable of the ten.
  const digits = Int32Array.from(Array.from('0123456789', (digit) => toy().model.tokenize(digit)[0]!));
  const { logProbs } = await session.append(new Int32Array(), { choices: digits });
  const digit = await session.generate({ grammar: 'root ::= [0-9]', maxTokens: 5 });
  expect(digit.tokens).toEqual(Int32Array.of(digits[logProbs.indexOf(Math.max(...logProbs))]!));
  expect(Math.abs(digit.logProbs[0]! - Math.max(...logProbs))).toBeLessThan(NATS_APART.unquantisedCache);
});

test('temperature and seed choose reproducibly, and in proportion to the probabilities', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  const start = session.mark();
  const sample = async (seed: number, grammar?: string): Promise<string> => {
    await session.rollback(start);
    const { text } = await session.generate({
      maxTokens: grammar ? 1 : 10,
      temperature: 1.5,
      seed,
      ...(grammar ? { grammar } : {}),
    });
    return text;
  };
  expect(await sample(1)).toBe(await sample(1));
  expect(new Set([await sample(1), await sample(2), await sample(3)]).size).toBeGreaterThan(1);

  const letters = ['a', 'b', 'c'];
  await session.rollback(start);
  const choices = Int32Array.from(letters.map((letter) => toy().model.tokenize(letter)[0]!));
  const { logProbs } = await session.append(new Int32Array(), { choices });
  const weights = Array.from(logProbs, (logProb) => Math.exp(logProb / 1.5));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = new Map<string, number>();
  const n = 400;
  for (let seed = 0; seed < n; seed++) {
    const letter = await sample(seed, 'root ::= [abc]');
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  for (const [i, letter] of letters.entries()) {
    const p = weights[i]! / total;
    // Four standard deviations.
    expect(Math.abs((counts.get(letter) ?? 0) / n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
  }
});

test('a stop text ends the generation before the token that holds it', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  const options = { grammar: 'root ::= [a-z]{3} "\\"" [a-z]+', maxTokens: 50 };
  const { text, finish, stopToken } = await session.generate({ ...options, stopTexts: ['!', '"'] });
  expect(finish).toBe('stop');
  expect(text).toMatch(/^[a-z]{3}$/);
  expect(stopToken?.text).toContain('"');
  expect(stopToken?.logProb).toBeLessThan(0);
  expect(session.nTokens).toBe(5 + toy().model.tokenize(text).length);
});

test('the end of the model’s turn ends the generation and is given back, not appended', async () => {
  await using context = await createContext();
  const { model } = toy();
  const ends = ['<|im_end|>', '<|endoftext|>'].map((name) => model.tokenize(name, { special: true })[0]);
  const session = context.session();
  await session.append(someTokens(5));
  const { tokens, finish, stopToken } = await session.generate({ grammar: 'root ::= "ab"?', maxTokens: 5 });
  expect(finish).toBe('end');
  if (tokens.length === 0) expect(ends).toContain(stopToken?.id);
  const none = await session.generate({ grammar: 'root ::= ""', maxTokens: 5 });
  expect(none).toMatchObject({ finish: 'end', text: '', tokens: new Int32Array() });
  expect(ends).toContain(none.stopToken?.id);
});

test('control tokens never fit a grammar’s characters', async () => {
  await using context = await createContext();
  const { model } = toy();
  const session = context.session();
  await session.append(someTokens(5));
  const { tokens } = await session.generate({
    grammar: 'root ::= [^a]{30,60}',
    maxTokens: 60,
    temperature: 50,
    seed: 3,
  });
  const control = new Set(
    Array.from({ length: model.facts.nVocab }, (_, id) => id).filter((id) => /^<\|.*\|>$/.test(model.tokenText(id))),
  );
  expect(control.size).toBeGreaterThan(3);
  expect(tokens.filter((token) => control.has(token))).toEqual(new Int32Array());
});

test('tokens stream in order while the generation runs, and an error in the listener ends it', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  const start = session.mark();
  const streamed: GeneratedToken[] = [];
  const result = await session.generate({ maxTokens: 20, onToken: (token) => streamed.push(token) });
  expect(streamed.map(({ id }) => id)).toEqual([...result.tokens]);
  expect(streamed.map(({ text }) => text).join('')).toBe(result.text);
  expect(
    greatestDifference(
      Float32Array.from(streamed, ({ logProb }) => logProb),
      result.logProbs,
    ),
  ).toBe(0);

  await session.rollback(start);
  const error = new Error('enough');
  let n = 0;
  const failing = session.generate({
    maxTokens: 400,
    onToken: () => {
      if (++n === 3) throw error;
    },
  });
  await expect(failing).rejects.toBe(error);
  expect(n).toBe(3);
  expect(session.nTokens).toBe(5);
  expect((await session.generate({ maxTokens: 20 })).tokens).toEqual(result.tokens);
});

test('several sessions generate as parallel sequences and get what they get alone', async () => {
  await using context = await createContext();
  const prompts = [1, 2, 3].map((seed) => someTokens(4 + seed, seed));
  const options = { grammar: 'root ::= [a-z ]{8,30}', maxTokens: 16 };
  const alone = [];
  for (const prompt of prompts) {
    await using session = context.session();
    await session.append(prompt);
    alone.push(await session.generate(options));
  }
  const sessions = prompts.map(() => context.session());
  await Promise.all(sessions.map(async (session, i) => session.append(prompts[i]!)));
  const before = context.counters();
  const together = await Promise.all(sessions.map(async (session) => session.generate(options)));
  expect(together.map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
  const longest = Math.max(...together.map(({ tokens }) => tokens.length));
  expect(context.counters().nDecodeCalls - before.nDecodeCalls).toBeLessThanOrEqual(longest);
});

test('an append that comes while another session generates does not wait for its end', async () => {
  await using context = await createContext();
  const [slow, quick] = [context.session(), context.session()];
  await slow.append(someTokens(5));
  const order: string[] = [];
  let appended: Promise<unknown> | undefined;
  const generated = slow.generate({
    grammar: 'root ::= [a-z]{300}',
    maxTokens: 300,
    onToken: () => {
      appended ??= quick.append(someTokens(5)).then(() => order.push('append'));
    },
  });
  await generated.then(() => order.push('generate'));
  await appended;
  expect(order).toEqual(['append', 'generate']);
});

test('a grammar that cannot be parsed or fulfilled is a typed error, and the session is as before', async () => {
  await using context = await createContext();
  const session = context.session();
  await session.append(someTokens(5));
  for (const grammar of ['root ::= (', 'other ::= "a"', '', 'root ::= undefined-rule', 'root ::= root "a"'])
    await expect(session.generate({ grammar, maxTokens: 5 })).rejects.toMatchObject({ code: 'GRAMMAR' });
  expect(session.nTokens).toBe(5);
  expect((await session.generate({ grammar: 'root ::= "a"', maxTokens: 5 })).text).toBe('a');
});

test('a context that fills up during a generation is a typed error, and the session is as before', async () => {
  await using context = await createContext(32);
  const session = context.session();
  await session.append(someTokens(20));
  await expect(session.generate({ grammar: 'root ::= [a-z]{100}', maxTokens: 100 })).rejects.toMatchObject({
    code: 'CONTEXT_FULL',
  });
  expect(session.nTokens).toBe(20);
  const { tokens } = await session.generate({ grammar: 'root ::= [a-z]{100}', maxTokens: 12 });
  expect(tokens.length).toBe(12);
});
