import { FramewrightError } from '../../base/errors.js';

/** llama.cpp's MAX_REPETITION_THRESHOLD (src/llama-grammar.cpp). */
const MAX_REPETITIONS = 2000;
/** Ours: llama.cpp's parser and matcher recurse. */
const MAX_NESTING = 64;
const MAX_RULES = 1000;

/**
 * Checks a GBNF grammar by the rules of llama.cpp's own parser, which prints to stderr what it does not like, and loops
 * where a repetition ends before it begins.
 *
 * @param isToken whether `<name>` is one token of the vocabulary
 * @throws FramewrightError GRAMMAR, with line and column
 */
export function checkGrammar(text: string, isToken: (name: string) => boolean): void {
  new GrammarChecker(text, isToken).check();
}

const ESCAPES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class GrammarChecker {
  readonly #text: string;
  readonly #isToken: (name: string) => boolean;
  readonly #defined = new Set<string>();
  readonly #used = new Map<string, number>();
  /** Rules llama.cpp makes up for groups and repetitions. */
  #nGenerated = 0;
  #nesting = 0;
  #at = 0;

  constructor(text: string, isToken: (name: string) => boolean) {
    this.#text = text;
    this.#isToken = isToken;
  }

  check(): void {
    const zero = this.#text.indexOf('\0');
    if (zero >= 0) this.#fail('a zero character', zero);
    this.#space(true);
    while (this.#at < this.#text.length) this.#rule();
    for (const [name, at] of this.#used) if (!this.#defined.has(name)) this.#fail(`rule ${name} is not defined`, at);
    if (!this.#defined.has('root')) this.#fail('there is no rule named root', 0);
  }

  #rule(): void {
    this.#defined.add(this.#name());
    if (this.#defined.size > MAX_RULES) this.#fail(`more than ${MAX_RULES} rules`);
    this.#space(false);
    this.#expect('::=');
    this.#space(true);
    this.#alternates(false);
    const end = /[\r\n]/y;
    end.lastIndex = this.#at;
    if (this.#at < this.#text.length && !end.test(this.#text)) this.#fail('expected the end of the line');
    this.#space(true);
  }

  #alternates(nested: boolean): void {
    this.#sequence(nested);
    while (this.#peek() === '|') {
      this.#at++;
      this.#space(true);
      this.#sequence(nested);
    }
  }

  #sequence(nested: boolean): void {
    /** Rules the item before a repetition stands for; 0: there is no item. */
    let nRules = 0;
    for (;;) {
      const c = this.#peek();
      if (c === '"') nRules = this.#literal();
      else if (c === '[') nRules = this.#characters();
      else if (c === '<' || c === '!') nRules = this.#token();
      else if (c === '.') nRules = this.#skip(1);
      else if (c === '(') nRules = this.#group();
      else if (/[a-zA-Z0-9-]/.test(c)) nRules = this.#reference();
      else if (c !== '' && '*+?{'.includes(c)) nRules = this.#repetition(nRules, nested);
      else return;
      this.#space(nested);
    }
  }

  #literal(): number {
    const start = this.#at++;
    while (this.#peek() !== '"') this.#character();
    this.#at++;
    return this.#at - start > 2 ? 1 : 0;
  }

  #characters(): number {
    this.#at++;
    if (this.#peek() === '^') this.#at++;
    const start = this.#at;
    while (this.#peek() !== ']') {
      this.#character();
      if (this.#peek() === '-' && this.#text[this.#at + 1] !== ']') {
        this.#at++;
        this.#character();
      }
    }
    return this.#at++ > start ? 1 : 0;
  }

  #character(): void {
    const c = this.#peek();
    if (c === '') this.#fail('unexpected end');
    if (c !== '\\') {
      this.#at += String.fromCodePoint(this.#text.codePointAt(this.#at)!).length;
      return;
    }
    const escape = this.#text[this.#at + 1] ?? '';
    const nDigits = ESCAPES[escape];
    if (nDigits !== undefined) {
      const digits = this.#text.slice(this.#at + 2, this.#at + 2 + nDigits);
      if (!new RegExp(`^[0-9a-fA-F]{${nDigits}}$`).test(digits)) this.#fail(`expected ${nDigits} hexadecimal digits`);
      this.#at += 2 + nDigits;
    } else {
      if (escape === '' || !'tnr\\"[]-'.includes(escape)) this.#fail(`unknown escape \\${escape}`);
      this.#at += 2;
    }
  }

  #token(): number {
    const start = this.#at;
    if (this.#peek() === '!') this.#at++;
    this.#expect('<');
    const id = /\[\d{1,9}\]>/y;
    id.lastIndex = this.#at;
    const end = this.#text.indexOf('>', this.#at);
    if (end < 0) this.#fail('expected >', start);
    const name = this.#text.slice(this.#at - 1, end + 1);
    if (!id.test(this.#text) && !this.#isToken(name)) this.#fail(`${name} is no token`, start);
    this.#at = end + 1;
    return 1;
  }

  #group(): number {
    const nBefore = this.#nSymbols();
    if (++this.#nesting > MAX_NESTING) this.#fail(`more than ${MAX_NESTING} groups in each other`);
    this.#at++;
    this.#nGenerated++;
    this.#space(true);
    this.#alternates(true);
    this.#expect(')');
    this.#nesting--;
    return Math.max(1, this.#nSymbols() - nBefore);
  }

  #reference(): number {
    const at = this.#at;
    const name = this.#name();
    if (!this.#used.has(name)) this.#used.set(name, at);
    return 1;
  }

  #repetition(nRules: number, nested: boolean): number {
    const [min, max] = this.#bounds(nested);
    if (nRules === 0) this.#fail('expected something to repeat');
    if (min > MAX_REPETITIONS) this.#fail(`more than ${MAX_REPETITIONS} repetitions`);
    if (max < min) this.#fail('a repetition that ends before it begins');
    const bounded = max <= MAX_REPETITIONS;
    const nTotal = nRules * (bounded && max > 0 ? max : Math.max(1, min));
    if (nTotal > MAX_REPETITIONS) this.#fail(`more than ${MAX_REPETITIONS} rules by repetition`);
    this.#nGenerated += bounded ? max - min : 1;
    return nTotal;
  }

  #bounds(nested: boolean): [min: number, max: number] {
    const c = this.#peek();
    this.#at++;
    if (c === '*') return [0, Infinity];
    if (c === '+') return [1, Infinity];
    if (c === '?') return [0, 1];
    this.#space(nested);
    const min = this.#integer();
    if (min === undefined) this.#fail('expected a number');
    this.#space(nested);
    let max = min;
    if (this.#peek() === ',') {
      this.#at++;
      this.#space(nested);
      max = this.#integer() ?? Infinity;
      this.#space(nested);
    }
    this.#expect('}');
    return [min, max];
  }

  #integer(): number | undefined {
    const digits = /\d{1,9}(?!\d)/y;
    digits.lastIndex = this.#at;
    const [match] = digits.exec(this.#text) ?? [];
    if (match === undefined) return undefined;
    this.#at += match.length;
    return Number(match);
  }

  #nSymbols(): number {
    return new Set([...this.#defined, ...this.#used.keys()]).size + this.#nGenerated;
  }

  #name(): string {
    const name = /[a-zA-Z0-9-]+/y;
    name.lastIndex = this.#at;
    const [match] = name.exec(this.#text) ?? [];
    if (match === undefined) return this.#fail('expected a rule’s name');
    this.#at += match.length;
    return match;
  }

  #space(newlines: boolean): void {
    const space = newlines ? /(?:[ \t\r\n]|#[^\r\n]*)*/y : /(?:[ \t]|#[^\r\n]*)*/y;
    space.lastIndex = this.#at;
    this.#at += space.exec(this.#text)?.[0].length ?? 0;
  }

  #skip(n: number): number {
    this.#at += n;
    return 1;
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #expect(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) this.#fail(`expected ${text}`);
    this.#at += text.length;
  }

  #fail(what: string, at = this.#at): never {
    const lines = this.#text.slice(0, at).split('\n');
    const place = `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
    throw new FramewrightError('GRAMMAR', `the grammar is not valid GBNF: ${what} at ${place}`);
  }
}
