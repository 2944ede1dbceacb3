import type { Box } from '../../src/base/geometry.js';
import type { Dice } from './dice.js';
import { css, shade, type Colour, type Definitions } from './paint.js';

/** A subject's drawing around the origin, filling [-1, 1] in at least one direction, and its true extent there. */
interface Figure {
  readonly svg: string;
  readonly halfWidth: number;
  readonly halfHeight: number;
}

type Draw = (roll: Dice, fill: string, detail: string) => Figure;

function polygon(points: readonly (readonly [number, number])[], fill: string): Figure {
  const halfWidth = Math.max(...points.map(([x]) => Math.abs(x)));
  const halfHeight = Math.max(...points.map(([, y]) => Math.abs(y)));
  const list = points.map(([x, y]) => `${x.toFixed(3)},${y.toFixed(3)}`).join(' ');
  return { svg: `<polygon points="${list}" fill="${fill}"/>`, halfWidth, halfHeight };
}

const FIGURES: readonly Draw[] = [
  function ellipse(roll, fill) {
    const h = roll.between(0.5, 1);
    return { svg: `<ellipse rx="1" ry="${h}" fill="${fill}"/>`, halfWidth: 1, halfHeight: h };
  },
  function rectangle(roll, fill, detail) {
    const h = roll.between(0.4, 1);
    const window = `<rect x="-.6" y="${-h * 0.6}" width=".5" height="${h * 0.7}" fill="${detail}"/>`;
    return {
      svg: `<rect x="-1" y="${-h}" width="2" height="${2 * h}" rx="${roll.between(0, 0.3)}" fill="${fill}"/>${window}`,
      halfWidth: 1,
      halfHeight: h,
    };
  },
  function star(roll, fill) {
    const n = roll.whole(4, 8);
    const inner = roll.between(0.4, 0.8);
    return polygon(
      Array.from({ length: 2 * n }, (_, i) => {
        const r = i % 2 === 0 ? 1 : inner;
        const a = (Math.PI * i) / n;
        return [r * Math.sin(a), -r * Math.cos(a)] as const;
      }),
      fill,
    );
  },
  function person(roll, fill, detail) {
    const w = roll.between(0.28, 0.45);
    return {
      svg:
        `<circle cy="-.78" r=".22" fill="${detail}"/>` +
        `<path d="M${-w},1 L${-w},-.25 Q${-w},-.55 0,-.55 Q${w},-.55 ${w},-.25 L${w},1 Z" fill="${fill}"/>`,
      halfWidth: w,
      halfHeight: 1,
    };
  },
  function animal(roll, fill, detail) {
    const body = roll.between(0.3, 0.42);
    return {
      svg:
        `<ellipse cx="-.1" rx=".72" ry="${body}" fill="${fill}"/>` +
        `<circle cx=".72" cy="-.32" r=".28" fill="${fill}"/><circle cx=".8" cy="-.38" r=".06" fill="${detail}"/>` +
        `<path d="M-.6,0 V.6 H-.45 V0 Z M-.25,0 V.6 H-.1 V0 Z M.2,0 V.6 H.35 V0 Z" fill="${fill}"/>` +
        `<path d="M-.75,-.1 Q-1,-.2 -.98,-.5" stroke="${fill}" stroke-width=".08" fill="none"/>`,
      halfWidth: 1,
      halfHeight: 0.6,
    };
  },
  function flower(roll, fill, detail) {
    const n = roll.whole(5, 9);
    const petals = Array.from(
      { length: n },
      (_, i) => `<ellipse cy="-.58" rx=".28" ry=".42" transform="rotate(${(360 * i) / n})" fill="${fill}"/>`,
    );
    return { svg: `${petals.join('')}<circle r=".26" fill="${detail}"/>`, halfWidth: 0.97, halfHeight: 0.98 };
  },
  function vehicle(roll, fill, detail) {
    const cabin = roll.between(0.4, 0.6);
    return {
      svg:
        `<rect x="-1" y="-.1" width="2" height=".45" rx=".12" fill="${fill}"/>` +
        `<path d="M${-cabin},-.1 L${-cabin + 0.2},-.5 L${cabin - 0.1},-.5 L${cabin + 0.1},-.1 Z" fill="${detail}"/>` +
        `<circle cx="-.55" cy=".32" r=".2" fill="#151515"/><circle cx=".55" cy=".32" r=".2" fill="#151515"/>`,
      halfWidth: 1,
      halfHeight: 0.51,
    };
  },
  function blob(roll, fill) {
    const n = 9;
    const radii = Array.from({ length: n }, () => roll.between(0.65, 1));
    const at = (i: number, scale = 1): string => {
      const a = (2 * Math.PI * i) / n;
      const r = radii[i % n]! * scale;
      return `${(r * Math.cos(a)).toFixed(3)},${(r * Math.sin(a)).toFixed(3)}`;
    };
    const d = Array.from({ length: n }, (_, i) => `L${at(i)}`).join(' ');
    const extent = (f: (a: number) => number): number =>
      Math.max(...radii.map((r, i) => Math.abs(r * f((2 * Math.PI * i) / n))));
    return {
      svg: `<path d="M${at(0)} ${d} Z" stroke-linejoin="round" fill="${fill}"/>`,
      halfWidth: extent(Math.cos),
      halfHeight: extent(Math.sin),
    };
  },
];

export interface DrawnSubject {
  readonly svg: string;
  readonly box: Box;
}

/** A figure of any kind with its box centred on (cx, cy), the longer half side `radius` px. */
export function drawSubject(
  roll: Dice,
  definitions: Definitions,
  colour: Colour,
  cx: number,
  cy: number,
  radius: number,
): DrawnSubject {
  const figure = roll.pick(FIGURES)(
    roll,
    definitions.fill(roll, colour, 1 / radius),
    css(shade(colour, roll.pick([-35, 35]))),
  );
  const scale = radius / Math.max(figure.halfWidth, figure.halfHeight);
  const mirrored = roll.chance(0.5) ? -1 : 1;
  const shadow = roll.chance(0.5)
    ? `<ellipse cx="${cx}" cy="${cy + scale * figure.halfHeight}" rx="${scale * figure.halfWidth}" ry="${scale * 0.08}" fill="black" opacity=".35"/>`
    : '';
  const [w, h] = [scale * figure.halfWidth, scale * figure.halfHeight];
  return {
    svg: `${shadow}<g transform="translate(${cx.toFixed(1)},${cy.toFixed(1)}) scale(${(scale * mirrored).toFixed(3)},${scale.toFixed(3)})">${figure.svg}</g>`,
    box: [Math.round(cx - w), Math.round(cy - h), Math.round(cx + w), Math.round(cy + h)],
  };
}
