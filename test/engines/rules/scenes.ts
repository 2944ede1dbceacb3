import type { Size } from '../../../src/base/geometry.js';
import type { Raster } from '../../../src/engines/types.js';

type Colour = readonly [r: number, g: number, b: number];

/** A raster of `size` whose pixel (x, y), at its centre, has the colour `paint` gives. */
export function scene(size: Size, paint: (x: number, y: number) => Colour): Raster {
  const data = new Uint8Array(3 * size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) data.set(paint(x + 0.5, y + 0.5), 3 * (y * size.width + x));
  }
  return { data, size };
}

/** Repeatable noise in 0..1 for a pixel. */
export function noise(x: number, y: number, seed = 0): number {
  const value = Math.sin(Math.floor(x) * 12.9898 + Math.floor(y) * 78.233 + seed * 37.719) * 43758.5453;
  return value - Math.floor(value);
}

export function mirrored({ data, size }: Raster): Raster {
  return scene(size, (x, y) => {
    const at = 3 * (Math.floor(y) * size.width + size.width - 1 - Math.floor(x));
    return [data[at]!, data[at + 1]!, data[at + 2]!];
  });
}

/** Blue-grey, gently lit from above, with a trace of grain. */
export function backdrop(x: number, y: number, height: number): Colour {
  const light = 130 - (40 * y) / height + 6 * noise(x, y);
  return [light - 20, light, light + 15];
}

/** A textured orange ellipse in `[x1, y1, x2, y2]` before the backdrop. */
export function ellipseScene(size: Size, box: readonly [number, number, number, number]): Raster {
  return scene(size, (x, y) => {
    const dx = (x - (box[0] + box[2]) / 2) / ((box[2] - box[0]) / 2);
    const dy = (y - (box[1] + box[3]) / 2) / ((box[3] - box[1]) / 2);
    if (dx * dx + dy * dy > 1) return backdrop(x, y, size.height);
    const grain = 40 * noise(x / 4, y / 4);
    return [215 + grain, 120 + grain, 40 + grain / 2];
  });
}
