import type { Point } from '../../base/geometry.js';
import { CASING, CASING_OPACITY } from './palette.js';

/** A stroke with its casing under it. */
export function cased(
  path: string,
  colour: string,
  widthPx: number,
  casingPx: number,
  { dash, opacity = 1 }: { readonly dash?: readonly number[]; readonly opacity?: number } = {},
): string {
  const common = `d="${path}" fill="none" stroke-linejoin="round" stroke-linecap="round"`;
  const dashes = dash ? ` stroke-dasharray="${dash.map(px).join(' ')}"` : '';
  return (
    `<path ${common}${dashes} stroke="${CASING}" stroke-opacity="${px(CASING_OPACITY * opacity)}" stroke-width="${px(widthPx + 2 * casingPx)}"/>` +
    `<path ${common}${dashes} stroke="${colour}" stroke-opacity="${opacity}" stroke-width="${px(widthPx)}"/>`
  );
}

export function pathOf(points: readonly Point[]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('');
}

/** A smooth curve through the points: Catmull-Rom as cubic Béziers, pulled in where points are near one another. */
export function smoothPathOf(points: readonly Point[]): string {
  const at = (index: number): Point => points[Math.max(0, Math.min(points.length - 1, index))]!;
  let path = pathOf([at(0)]);
  for (let i = 0; i + 1 < points.length; i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const reach = distance(p1, p2) / 3;
    const control = (from: Point, towards: readonly [number, number], sign: number): string => {
      const length = Math.hypot(...towards);
      const scale = length === 0 ? 0 : (sign * reach) / length;
      return `${px(from[0] + towards[0] * scale)} ${px(from[1] + towards[1] * scale)}`;
    };
    const leaving = control(p1, [p2[0] - p0[0], p2[1] - p0[1]], 1);
    const arriving = control(p2, [p3[0] - p1[0], p3[1] - p1[1]], -1);
    path += `C${leaving} ${arriving} ${px(p2[0])} ${px(p2[1])}`;
  }
  return path;
}

/** 61 points evenly along a polyline. */
export function traceOf(points: readonly Point[]): Point[] {
  const lengths = points.slice(1).map((point, index) => distance(points[index]!, point));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const trace: Point[] = [];
  let index = 0;
  let walked = 0;
  for (let step = 0; step <= 60; step++) {
    const goal = (total * step) / 60;
    while (index < lengths.length - 1 && walked + lengths[index]! < goal) walked += lengths[index++]!;
    const share = lengths[index] ? Math.min(1, (goal - walked) / lengths[index]!) : 0;
    const [from, to] = [points[index]!, points[Math.min(points.length - 1, index + 1)]!];
    trace.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
  }
  return trace;
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

export function px(value: number): number {
  return Math.round(value * 100) / 100;
}
