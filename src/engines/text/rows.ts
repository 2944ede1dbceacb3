import type { Box, Size } from '../../base/geometry.js';
import type { Plane } from '../rules/maps/plane.js';
import { chainsOf, type Chain } from './chains.js';
import { componentsOf } from './components.js';
import { glyphOf, type Glyph } from './glyph.js';
import { grownBox } from './growth.js';
import { inkOf, type Polarity } from './ink.js';

/** A row of things that may be letters, in one plane. */
export interface Row {
  readonly chain: Chain;
  readonly polarity: Polarity;
  readonly plane: Size;
  /** Around its glyphs and what else belongs to the line, in pixels of the plane. */
  readonly box: () => Box;
}

export function rowsIn(grey: Plane): Row[] {
  const inks = inkOf(grey);
  return (['dark', 'light'] as const).flatMap((polarity) => {
    const components = componentsOf(inks[polarity]);
    const glyphs = components.list.flatMap((component, i): Glyph[] => {
      const glyph = glyphOf(component, i + 1, components, grey);
      return glyph ? [glyph] : [];
    });
    return chainsOf(glyphs).map((chain) => ({
      chain,
      polarity,
      plane: grey,
      box: () => grownBox(chain, components.list, grey),
    }));
  });
}
