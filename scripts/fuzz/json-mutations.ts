import type { Dice } from './dice.js';

const DEEP = ((): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < 1000; i++) value = [value];
  return value;
})();

/** What no schema expects somewhere. */
const ODD: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e308, 2 ** 53, '', ' ', '..', '../x', '/x', 'a\0b', '\u001b[2J', '__proto__', [], {}],
  ...['x'.repeat(100_000), Array.from({ length: 20_000 }, () => ({})), DEEP, { toString: 1 }, 'https://x/a.gguf'],
];
const KEYS = ['__proto__', 'constructor', 'toString', '', 'length', 'x', 'path', 'what'];

/** A copy of a JSON value with some of it odd, doubled or gone. */
export function oddJson(value: unknown, dice: Dice): unknown {
  if (dice.chance(0.06)) return dice.pick(ODD);
  if (Array.isArray(value)) {
    const items = value.map((item) => (dice.chance(0.5) ? oddJson(item, dice) : (item as unknown)));
    return dice.chance(0.1) ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => !dice.chance(0.04))
    .map(([key, item]) => [
      dice.chance(0.03) ? dice.pick(KEYS) : key,
      dice.chance(0.4) ? oddJson(item, dice) : (item as unknown),
    ]);
  // As JSON.parse does, and Object.fromEntries too: a key of __proto__ is one like others.
  return Object.fromEntries(dice.chance(0.05) ? [...entries, [dice.pick(KEYS), dice.pick(ODD)]] : entries);
}
