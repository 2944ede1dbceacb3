import { seededRandom } from '../../src/base/random.js';

/** Seeded random draws; the same seed gives the same scene on every machine. */
export interface Dice {
  /** Uniform in [0, 1). */
  unit(): number;
  between(least: number, most: number): number;
  /** Whole number from `least` to `most`, both inclusive. */
  whole(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** Normal with standard deviation 1. */
  normal(): number;
  shuffled<T>(items: readonly T[]): T[];
}

export function dice(seed: number): Dice {
  const unit = seededRandom(seed ^ 0x9e3779b9);
  for (let i = 0; i < 8; i++) unit(); // neighbouring seeds part ways
  const whole = (least: number, most: number): number => least + Math.floor(unit() * (most - least + 1));
  return {
    unit,
    between: (least, most) => least + unit() * (most - least),
    whole,
    pick: (items) => items[whole(0, items.length - 1)]!,
    chance: (probability) => unit() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    shuffled: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = whole(0, i);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
  };
}
