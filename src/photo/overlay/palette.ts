import type { ElementKind } from '../../base/schema.js';

/**
 * One colour a kind, all light (OKLab lightness 0.7 and up) to stand on the dark casing. Found by a search over the
 * sRGB cube for the largest least distance between any two, to normal vision and to protanopia, deuteranopia and
 * tritanopia (Machado, Oliveira and Fernandes 2009, full severity): at least 0.08 in OKLab for the colour-blind, where
 * the seven colours of Okabe and Ito reach 0.076.
 */
export const KIND_COLOURS: Readonly<Record<ElementKind, string>> = {
  rule_of_thirds: '#e1ff00',
  center: '#ffa5c3',
  golden_ratio: '#d29600',
  horizontal: '#00ffff',
  vertical: '#a5d22d',
  diagonal: '#ff4bc3',
  symmetric: '#b487ff',
  curved: '#69b487',
  triangle: '#ffd287',
  vanishing_point: '#87c3ff',
};

/** Guides, candidates and the best crop: none of the kinds is white. */
export const NEUTRAL = '#ffffff';

/** Under and around every light stroke, so that it shows on snow as well as on a night sky; also the dimming. */
export const CASING = '#0c0e12';
export const CASING_OPACITY = 0.62;

/** Letters, on plates of the colours above. */
export const INK = '#0c0e12';
