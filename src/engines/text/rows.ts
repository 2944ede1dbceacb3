import type { Box, Size } from '../../base/geometry.js';
import type { Plane } from '../rules/maps/plane.js';
import { chainsOf, type Chain } from './chains.js';
import { componentsOf } from './components.js';
import { glyphOf, type Glyph } from './glyph.js';
import { grownBox } from './growth.js';
import { inksOf } from './ink.js';

/** A row of things that may be letters, in one plane. */
export interface Row {
  readonly chain: Chain;
  readonly plane: Size;
  /** Around its glyphs and what else belongs to the line, in pixels of the plane. */
  readonly box: () => Box;
}

export function rowsIn(grey: Plane): Row[] {
  return inksOf(grey).flatMap((ink) => {
    const components = componentsOf(ink);
    const glyphs = components.list.flatMap((component, i): Glyph[] => {
      const glyph = glyphOf(component, i + 1, components, grey);
      return glyph ? [glyph] : [];
    });
    return chainsOf(glyphs).map((chain) => ({
      chain,
      plane: grey,
      box: () => grownBox(chain, components.list, grey),
    }));
  });
}
