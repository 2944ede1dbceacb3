import type { Dice } from './dice.js';

export interface Colour {
  /** Degrees. */
  readonly hue: number;
  /** Percent. */
  readonly saturation: number;
  /** Percent. */
  readonly lightness: number;
}

/** A few colours that go together, as a photo's do, and which of them is behind. */
export interface Palette {
  readonly back: Colour;
  readonly ground: Colour;
  readonly structure: Colour;
  readonly subject: Colour;
}

export function css({ hue, saturation, lightness }: Colour, opacity = 1): string {
  return `hsla(${hue.toFixed(0)},${saturation.toFixed(0)}%,${lightness.toFixed(0)}%,${opacity.toFixed(2)})`;
}

export function shade(colour: Colour, by: number): Colour {
  return { ...colour, lightness: Math.min(96, Math.max(4, colour.lightness + by)) };
}

export function palette(roll: Dice): Palette {
  const hue = roll.between(0, 360);
  const colour = (hueOffset: number, lightness: number): Colour => ({
    hue: (hue + hueOffset + 360) % 360,
    saturation: roll.between(5, 60),
    lightness: Math.min(92, Math.max(8, lightness)),
  });
  const back = colour(roll.between(-20, 20), roll.between(15, 88));
  const away = (from: number, least: number, most: number): number => {
    const step = roll.between(least, most);
    if (from + step > 92) return from - step;
    return from - step < 8 || roll.chance(0.5) ? from + step : from - step;
  };
  return {
    back,
    ground: colour(roll.between(-60, 60), away(back.lightness, 12, 40)),
    structure: colour(roll.between(-90, 90), away(back.lightness, 18, 50)),
    subject: {
      ...colour(roll.between(90, 270), away(back.lightness, 20, 55)),
      saturation: roll.between(25, 95),
    },
  };
}

/** Fill definitions of one SVG: gradients, textures, blur. */
export class Definitions {
  readonly #entries: string[] = [];

  gradient(roll: Dice, from: Colour, to: Colour): string {
    const id = this.#id('g');
    if (roll.chance(0.25)) {
      this.#entries.push(
        `<radialGradient id="${id}" cx="${roll.between(0.2, 0.8).toFixed(2)}" cy="${roll.between(0.2, 0.8).toFixed(2)}" r="0.8">` +
          `<stop offset="0" stop-color="${css(from)}"/><stop offset="1" stop-color="${css(to)}"/></radialGradient>`,
      );
    } else {
      const angle = roll.between(0, 360).toFixed(0);
      this.#entries.push(
        `<linearGradient id="${id}" gradientTransform="rotate(${angle} .5 .5)">` +
          `<stop offset="0" stop-color="${css(from)}"/><stop offset="1" stop-color="${css(to)}"/></linearGradient>`,
      );
    }
    return `url(#${id})`;
  }

  /** Stripes, checks or dots. */
  pattern(roll: Dice, a: Colour, b: Colour, unitsPerPx: number): string {
    const id = this.#id('p');
    const size = roll.between(4, 18) * unitsPerPx;
    const inner = roll.pick([
      `<rect width="${size / 2}" height="${size}" fill="${css(b)}"/>`,
      `<rect width="${size / 2}" height="${size / 2}" fill="${css(b)}"/><rect x="${size / 2}" y="${size / 2}" width="${size / 2}" height="${size / 2}" fill="${css(b)}"/>`,
      `<circle cx="${size / 2}" cy="${size / 2}" r="${size / 3}" fill="${css(b)}"/>`,
    ]);
    this.#entries.push(
      `<pattern id="${id}" width="${size}" height="${size}" patternUnits="userSpaceOnUse" patternTransform="rotate(${roll.whole(0, 180)})">` +
        `<rect width="${size}" height="${size}" fill="${css(a)}"/>${inner}</pattern>`,
    );
    return `url(#${id})`;
  }

  /** Flat, gradient or pattern around one colour, for a shape drawn `unitsPerPx` of its units to the pixel. */
  fill(roll: Dice, colour: Colour, unitsPerPx = 1): string {
    const other = shade(colour, roll.between(-18, 18));
    const kind = roll.unit();
    if (kind < 0.3) return css(colour);
    return kind < 0.75 ? this.gradient(roll, colour, other) : this.pattern(roll, colour, other, unitsPerPx);
  }

  blur(px: number): string {
    const id = this.#id('b');
    this.#entries.push(
      `<filter id="${id}" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="${px.toFixed(1)}"/></filter>`,
    );
    return `url(#${id})`;
  }

  toString(): string {
    return `<defs>${this.#entries.join('')}</defs>`;
  }

  #id(prefix: string): string {
    return `${prefix}${this.#entries.length}`;
  }
}
