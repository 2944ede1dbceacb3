import { expect, test } from 'vitest';
import type { FramewrightError } from '../../../src/base/errors.js';
import { checkGrammar } from '../../../src/runtime/session/grammar-check.js';
import { someTokens, useToy } from '../toy.js';

const toy = useToy();
const isToken = (name: string): boolean => name === '<|im_end|>';

const SOUND = [
  'root ::= "a"',
  '# comment\n\nroot ::= "a" | b # more\nb ::= [a-z0-9_-]+\n',
  'root ::= (\n  "a"\n  | "b"\n)* "c"?\r\nx ::= .',
  String.raw`root ::= [^"\\\x00-\x1f\x7f]{0,239} "\"" ("}" "\n"?)?`,
  String.raw`root ::= "\u00e9" [\U0001F600-\U0001F64F] "\[\]\-"`,
  'root ::= "a"{3} "b"{2,} "c"{1,4} "d"{ 2 , 5 }',
  'root ::= ""',
  'root ::= [] | "a"',
  'root ::= <|im_end|> | !<[12]> "a"',
  'root ::= sub-1 \nsub-1 ::= root2\nroot2 ::= "é 日本"',
  'root ::= "a"{1,5000}',
];

const UNSOUND: readonly (readonly [grammar: string, message: RegExp])[] = [
  ['', /no rule named root/],
  ['other ::= "a"', /no rule named root/],
  ['root ::= b', /rule b is not defined at line 1, column 10/],
  ['root ::= "a', /unexpected end/],
  ['root ::= [a', /unexpected end/],
  ['root ::= ("a"', /expected \)/],
  ['root ::= "a")', /expected the end of the line/],
  ['root ::= *', /something to repeat/],
  ['root ::= ""*', /something to repeat/],
  ['root ::= "a"{', /expected a number/],
  ['root ::= "a"{2', /expected \}/],
  ['root ::= "a"{3,2}', /ends before it begins/],
  ['root ::= "a"{2001}', /more than 2000/],
  ['root ::= ("a"{1,100}){100}', /more than 2000/],
  ['root ::= "\\q"', /unknown escape/],
  ['root ::= "\\x1"', /2 hexadecimal digits/],
  ['root ::= <unknown>', /no token/],
  ['root ::= <[12>', /no token/],
  ['root = "a"', /expected ::=/],
  ['root ::= "a"\n\n  | "b"', /expected a rule’s name at line 3, column 3/],
  ['root ::= "a\0"', /zero character/],
  [`root ::= ${'('.repeat(100)}"a"${')'.repeat(100)}`, /groups in each other/],
];

test.each(SOUND)('%j passes', (grammar) => {
  expect(() => checkGrammar(grammar, isToken)).not.toThrow();
});

test.each(UNSOUND)('%j is told with what is wrong and where', (grammar, message) => {
  expect(() => checkGrammar(grammar, isToken)).toThrow(expect.objectContaining({ code: 'GRAMMAR' }) as Error);
  expect(() => checkGrammar(grammar, isToken)).toThrow(message);
});

test('whatever passes, llama.cpp parses: it would print if it did not', async () => {
  const { model } = toy();
  await using context = await model.createContext({ nCtx: 64 });
  const session = context.session();
  await session.append(someTokens(3));
  const mark = session.mark();
  const pieces = [
    '"a"',
    '[a-c]',
    '(',
    ')',
    '|',
    '*',
    '{2}',
    '{1,3}',
    '+',
    '?',
    ' ',
    '\n',
    'root ::= ',
    'b',
    '.',
    '#x',
    '!',
    '<|im_start|>',
  ];
  let nPassed = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const grammar = `root ::= ${Array.from(someTokens(1 + (seed % 9), seed), (n) => pieces[n % pieces.length]).join('')}\nb ::= "b"`;
    const error: unknown = await session.generate({ grammar, maxTokens: 1 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== undefined) expect((error as FramewrightError).code).toBe('GRAMMAR');
    // llama.cpp alone finds left recursion; it logs that, as it should.
    if (!/not valid GBNF|left recursion/.test((error as Error | undefined)?.message ?? '')) {
      expect(error).toBeUndefined();
      nPassed++;
    }
    await session.rollback(mark);
  }
  expect(nPassed).toBeGreaterThan(50);
});
