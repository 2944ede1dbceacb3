import sharp, { type Sharp } from 'sharp';
import type { Box, Size } from '../../src/base/geometry.js';
import { ELEMENT_KINDS, type Element } from '../../src/base/schema.js';
import { dice, type Dice } from './dice.js';
import { css, Definitions, palette, shade, type Palette } from './paint.js';
import { beam, horizon, peak, perspective, slant, slope, uprights, winding, type DrawStructure } from './structure.js';
import { drawSubject } from './subject.js';

/** A drawn photo and everything that is true of it; coordinates in its pixels. */
export interface Scene {
  readonly data: Uint8Array;
  readonly size: Size;
  /** In canonical order. */
  readonly elements: readonly Element[];
  readonly subject: Box | undefined;
}

export interface SceneOptions {
  readonly seed: number;
  /** Photos to draw over instead of a painted background. */
  readonly backdrops?: readonly string[];
}

const LONG_SIDE_PX = 336;
const ASPECTS = [3 / 2, 3 / 2, 4 / 3, 4 / 3, 1, 16 / 9, 5 / 4, 3 / 4, 2 / 3, 4 / 5, 9 / 16] as const;
/** A scene takes at most one structure of each group; the groups are painted in this order, so that none hides another. */
const STRUCTURES: readonly (readonly DrawStructure[])[] = [
  [horizon, horizon, slope],
  [peak, perspective],
  [uprights],
  [winding],
  [slant, beam],
];

/** @returns the same scene for the same seed and backdrops. */
export async function drawScene({ seed, backdrops }: SceneOptions): Promise<Scene> {
  const roll = dice(seed);
  const aspect = roll.pick(ASPECTS) * roll.between(0.97, 1.03);
  const size: Size = {
    width: Math.round(aspect >= 1 ? LONG_SIDE_PX : LONG_SIDE_PX * aspect),
    height: Math.round(aspect >= 1 ? LONG_SIDE_PX / aspect : LONG_SIDE_PX),
  };
  const symmetric = roll.chance(0.14);
  const drawing = symmetric ? drawSymmetric(roll, size) : drawFree(roll, size);
  const data = await render(drawing.svg, size, roll, backdrops, symmetric);
  return {
    data,
    size,
    elements: [...drawing.elements].sort((a, b) => ELEMENT_KINDS.indexOf(a.type) - ELEMENT_KINDS.indexOf(b.type)),
    subject: drawing.subject,
  };
}

interface Drawing {
  readonly svg: string;
  readonly elements: Element[];
  readonly subject: Box | undefined;
}

function drawFree(roll: Dice, size: Size): Drawing {
  const definitions = new Definitions();
  const colours = palette(roll);
  const chosen = roll.shuffled(STRUCTURES).slice(0, roll.pick([0, 1, 1, 1, 2, 2]));
  const structures = STRUCTURES.filter((group) => chosen.includes(group)).map((group) =>
    roll.pick(group)(roll, definitions, colours, size),
  );
  const subject =
    structures.length === 0 || roll.chance(0.75) ? placeSubject(roll, definitions, colours, size) : undefined;
  const softness = roll.chance(0.35) ? ` filter="${definitions.blur(roll.between(0.5, 3))}"` : '';
  const body =
    `<g${softness}>${background(roll, definitions, colours, size)}${clutter(roll, colours, size)}` +
    `${structures.map(({ svg }) => svg).join('')}</g>${subject?.svg ?? ''}`;
  return {
    svg: svg(size, `${definitions.toString()}${body}`),
    elements: [...structures.flatMap(({ elements }) => elements), ...(subject ? [subject.element] : [])],
    subject: subject?.box,
  };
}

/** Everything on one side of the axis again on the other, as in water or a facade. */
function drawSymmetric(roll: Dice, size: Size): Drawing {
  const definitions = new Definitions();
  const colours = palette(roll);
  const reflection = roll.chance(0.35);
  const { width, height } = size;
  const axis = (reflection ? height : width) * roll.between(0.44, 0.56);
  const shapes = Array.from({ length: roll.whole(2, 6) }, () => {
    const radius = roll.between(0.06, 0.22) * Math.min(width, height);
    const [x, y] = reflection
      ? [roll.between(0, width), axis - roll.between(0.1, 0.9) * axis]
      : [axis - roll.between(0.1, 0.9) * axis, roll.between(0, height)];
    return drawSubject(roll, definitions, shade(colours.structure, roll.between(-25, 25)), x, y, radius).svg;
  }).join('');
  const flip = reflection ? `translate(0,${2 * axis}) scale(1,-1)` : `translate(${2 * axis},0) scale(-1,1)`;
  const at = Math.round(axis);
  const line: [number, number, number, number] = reflection ? [0, at, width - 1, at] : [at, 0, at, height - 1];
  const body = `${background(roll, definitions, colours, size)}${shapes}<g transform="${flip}">${shapes}</g>`;
  return {
    svg: svg(size, `${definitions.toString()}${body}`),
    elements: [{ type: 'symmetric', line }],
    subject: undefined,
  };
}

const GOLDEN = 0.382;

function placeSubject(
  roll: Dice,
  definitions: Definitions,
  colours: Palette,
  { width, height }: Size,
): { svg: string; box: Box; element: Element } {
  const type = roll.pick(['rule_of_thirds', 'center', 'golden_ratio'] as const);
  const near = type === 'center' ? 0.5 : type === 'golden_ratio' ? GOLDEN : 1 / 3;
  const [left, top] = [roll.chance(0.5), roll.chance(0.5)];
  const spread = type === 'center' ? 0.02 : 0.012;
  const cx = width * ((left ? near : 1 - near) + spread * roll.normal());
  const cy = height * ((top ? near : 1 - near) + spread * roll.normal());
  const room = Math.min(cx, width - cx, cy, height - cy) / Math.min(width, height);
  const radius = Math.min(width, height) * roll.between(0.1, Math.min(0.36, room));
  const { svg: drawn, box } = drawSubject(roll, definitions, colours.subject, cx, cy, radius);
  return { svg: drawn, box, element: { type, box: [...box] } };
}

function background(roll: Dice, definitions: Definitions, { back }: Palette, { width, height }: Size): string {
  const fill = roll.chance(0.7) ? definitions.gradient(roll, back, shade(back, roll.between(-25, 25))) : css(back);
  return `<rect class="back" width="${width}" height="${height}" fill="${fill}"/>`;
}

/** Small things of little contrast that no composition rests on. */
function clutter(roll: Dice, { back }: Palette, { width, height }: Size): string {
  return Array.from({ length: roll.pick([0, 0, 2, 6, 14]) }, () => {
    const fill = css(shade(back, roll.between(-14, 14)), 0.8);
    const r = Math.min(width, height) * roll.between(0.01, 0.05);
    return `<ellipse cx="${roll.between(0, width).toFixed(0)}" cy="${roll.between(0, height).toFixed(0)}" rx="${r.toFixed(1)}" ry="${(r * roll.between(0.4, 1)).toFixed(1)}" fill="${fill}"/>`;
  }).join('');
}

function svg({ width, height }: Size, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;
}

/** Pixels: the drawing, over a soft photo where there is one, then light, grain and blur. */
async function render(
  drawing: string,
  { width, height }: Size,
  roll: Dice,
  backdrops: readonly string[] | undefined,
  symmetric: boolean,
): Promise<Uint8Array> {
  const overPhoto = backdrops && backdrops.length > 0 && !symmetric && roll.chance(0.35);
  let image: Sharp;
  if (overPhoto) {
    const backdrop = await sharp(roll.pick(backdrops))
      .resize(width, height, { fit: 'cover' })
      .removeAlpha()
      .blur(roll.between(1.5, 6))
      .toColourspace('srgb')
      .png()
      .toBuffer();
    const clear = drawing.replace(/<rect class="back"[^>]*>/, '');
    image = sharp(backdrop).composite([{ input: Buffer.from(clear) }]);
  } else {
    image = sharp(Buffer.from(drawing));
  }
  const flat = await image.removeAlpha().toColourspace('srgb').raw().toBuffer();
  const blurred = roll.chance(0.2)
    ? await sharp(flat, { raw: { width, height, channels: 3 } })
        .blur(roll.between(0.5, 1.2))
        .raw()
        .toBuffer()
    : flat;
  return light(Uint8Array.from(blurred), { width, height }, roll);
}

/** Vignette, exposure and sensor noise. */
function light(data: Uint8Array, { width, height }: Size, roll: Dice): Uint8Array {
  const exposure = roll.between(0.75, 1.2);
  const vignette = roll.chance(0.4) ? roll.between(0.1, 0.5) : 0;
  const grain = roll.chance(0.6) ? roll.between(1, 9) : 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const r2 = ((2 * x) / width - 1) ** 2 + ((2 * y) / height - 1) ** 2;
      const gain = exposure * (1 - (vignette * r2) / 2);
      const noise = grain * (roll.unit() + roll.unit() + roll.unit() - 1.5);
      for (let c = 0; c < 3; c++, i++) data[i] = Math.max(0, Math.min(255, data[i]! * gain + noise));
    }
  }
  return data;
}
