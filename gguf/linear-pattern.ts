/**
 * Regular expressions matched in steps linear in the text, whatever the expression (Thompson's construction: all ways
 * through it are walked at once), for expressions that come with somebody else's files. Literals, `.`, classes, groups,
 * `|`, `*`, `+`, `?` and counts, `^` and `$`: what names of modules are told apart with. What only
 * backtracking gives (backward references, looking around) is refused.
 */
export interface LinearPattern {
  readonly states: readonly State[];
  readonly start: number;
}

type Edge = '^' | '$';
type Test = (char: string) => boolean;
/** One character and the state behind it, or several states at once, or one that only an end of the text leads to. */
type State =
  | { readonly test: Test; readonly next: number }
  | { readonly either: readonly number[] }
  | { readonly edge: Edge; readonly next: number }
  | { readonly isEnd: true };

const MAX_PATTERN_LENGTH = 1000;
const MAX_STATES = 10_000;
const MAX_DEPTH = 50;

type Node =
  | { readonly kind: 'edge'; readonly edge: Edge }
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'any'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

/** @throws SyntaxError for what is no expression, or of a kind that is not matched here */
export function compilePattern(source: string): LinearPattern {
  if (source.length > MAX_PATTERN_LENGTH) throw new SyntaxError(`it is longer than ${MAX_PATTERN_LENGTH} characters`);
  return linked(new Parser(source).parse());
}

/** Whether all of the text is of the pattern; `spend` is told of each step, and may throw. */
export function matchesWhole({ states, start }: LinearPattern, text: string, spend: (steps: number) => void): boolean {
  const chars = Array.from(text);
  const edgesAt = (i: number): string => (i === 0 ? '^' : '') + (i === chars.length ? '$' : '');
  let now = closure(states, [start], edgesAt(0));
  for (const [i, char] of chars.entries()) {
    spend(now.size);
    const next: number[] = [];
    for (const index of now) {
      const state = states[index]!;
      if ('test' in state && state.test(char)) next.push(state.next);
    }
    if (next.length === 0) return false;
    now = closure(states, next, edgesAt(i + 1));
  }
  return [...now].some((index) => 'isEnd' in states[index]!);
}

/** The states that are reached from these without a character. */
function closure(states: readonly State[], from: readonly number[], edges: string): ReadonlySet<number> {
  const reached = new Set<number>();
  const waiting = [...from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const state = states[index]!;
    if ('either' in state) waiting.push(...state.either);
    else if ('edge' in state && edges.includes(state.edge)) waiting.push(state.next);
  }
  return reached;
}

/** Built from the end: each part knows the state behind it. */
function linked(node: Node): LinearPattern {
  const states: State[] = [{ isEnd: true }];
  const add = (state: State): number => {
    if (states.length >= MAX_STATES) throw new SyntaxError('it repeats too much');
    return states.push(state) - 1;
  };
  const link = (part: Node, next: number): number => {
    switch (part.kind) {
      case 'char':
        return add({ test: part.test, next });
      case 'edge':
        return add({ edge: part.edge, next });
      case 'all':
        return part.parts.reduceRight((behind, each) => link(each, behind), next);
      case 'any':
        return add({ either: part.parts.map((each) => link(each, next)) });
      case 'repeat': {
        let at = next;
        if (part.most === Infinity) {
          const either: number[] = [next];
          at = add({ either });
          either.push(link(part.part, at));
        } else for (let i = part.least; i < part.most; i++) at = add({ either: [next, link(part.part, at)] });
        for (let i = 0; i < part.least; i++) at = link(part.part, at);
        return at;
      }
    }
  };
  const start = link(node, 0);
  return { states, start };
}

const isWord: Test = (char) => /^\w$/.test(char);
const isDigit: Test = (char) => /^\d$/.test(char);
const isSpace: Test = (char) => /^\s$/.test(char);
const CLASSES: Readonly<Record<string, Test>> = {
  w: isWord,
  d: isDigit,
  s: isSpace,
  W: (char) => !isWord(char),
  D: (char) => !isDigit(char),
  S: (char) => !isSpace(char),
};

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = Array.from(source);
  }

  parse(): Node {
    const node = this.#either();
    if (this.#at < this.#chars.length)
      throw new SyntaxError(`"${this.#chars[this.#at]!}" has no place where it stands`);
    return node;
  }

  #either(): Node {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError(`it is nested deeper than ${MAX_DEPTH}`);
    const parts = [this.#all()];
    while (this.#take('|')) parts.push(this.#all());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts };
  }

  #all(): Node {
    const parts: Node[] = [];
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined || char === '|' || char === ')') break;
      parts.push(this.#repeated(this.#one()));
    }
    return { kind: 'all', parts };
  }

  #repeated(part: Node): Node {
    const counts = this.#counts();
    if (!counts) return part;
    this.#take('?'); // the lazy ones match the same
    if (this.#counts()) throw new SyntaxError('it repeats what is repeated');
    return { kind: 'repeat', part, ...counts };
  }

  #counts(): { least: number; most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Infinity };
    if (this.#take('+')) return { least: 1, most: Infinity };
    if (this.#take('?')) return { least: 0, most: 1 };
    const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    if (!match) return undefined;
    this.#at += match[0].length;
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : match[3] === '' ? Infinity : Number(match[3]);
    if (most < least) throw new SyntaxError(`${match[0]} counts backwards`);
    return { least, most };
  }

  #one(): Node {
    const char = this.#chars[this.#at++]!;
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'char', test: this.#set() };
    if (char === '.') return { kind: 'char', test: (each) => each !== '\n' };
    if (char === '\\') return { kind: 'char', test: this.#escaped() };
    if (char === '^' || char === '$') return { kind: 'edge', edge: char };
    if ('*+?'.includes(char)) throw new SyntaxError(`"${char}" has no place where it stands`);
    return { kind: 'char', test: (each) => each === char };
  }

  #group(): Node {
    if (this.#take('?') && !this.#take(':')) throw new SyntaxError('of groups with "(?" only "(?:" is taken');
    const node = this.#either();
    if (!this.#take(')')) throw new SyntaxError('a group does not end');
    return node;
  }

  #escaped(): Test {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new SyntaxError('a backslash escapes nothing');
    const known = Object.hasOwn(CLASSES, char) ? CLASSES[char] : undefined;
    if (known) return known;
    if (isWord(char)) throw new SyntaxError(`\\${char} is not taken`);
    return (each) => each === char;
  }

  #set(): Test {
    const isNegated = this.#take('^');
    const tests: Test[] = [];
    for (let isFirst = true; isFirst || this.#chars[this.#at] !== ']'; isFirst = false) {
      const from = this.#chars[this.#at++];
      if (from === undefined) throw new SyntaxError('a class does not end');
      if (from === '\\') {
        tests.push(this.#escaped());
        continue;
      }
      const [dash, to] = this.#chars.slice(this.#at, this.#at + 2);
      if (dash !== '-' || to === undefined || to === ']') {
        tests.push((char) => char === from);
        continue;
      }
      if (to === '\\' || to < from) throw new SyntaxError(`${from}-${to} is no range`);
      this.#at += 2;
      tests.push((char) => from <= char && char <= to);
    }
    this.#at++;
    return (char) => tests.some((test) => test(char)) !== isNegated;
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}
