import type { Metadata, Sharp } from 'sharp';
import type { OutputFormat } from './output-format.js';
import { ALPHA_BACKGROUND } from './render.js';

/**
 * How pixels reach an output file with their colours right. Values of RGB and grey photos stay untouched beside their
 * own profile wherever the format has room for it; everything else is converted to sRGB.
 */
export interface ColourPlan {
  /** sharp's name of the output's colour space. */
  readonly space: 'srgb' | 'rgb16' | 'b-w' | 'grey16';
  readonly profile: 'own' | 'srgb' | 'none';
  /** More than 8 bits a channel. */
  readonly deep: boolean;
  readonly flatten: boolean;
  readonly strip: boolean;
  /** The pixels must go through the embedded profile; see `render.ts` on what sharp does to 16-bit ones. */
  readonly convert16: 'to 8 bits' | 'in 16 bits' | undefined;
}

export function planColour(stored: Metadata, format: OutputFormat, strip: boolean): ColourPlan {
  const isGrey = stored.space === 'b-w' || stored.space === 'grey16';
  const isRgb = stored.space === 'srgb' || stored.space === 'rgb' || stored.space === 'rgb16';
  const holdsGrey = format === 'jpeg' || format === 'png' || format === 'tiff';
  const holdsDeep = format === 'png' || format === 'tiff' || format === 'avif';

  const deep = stored.depth === 'ushort' && holdsDeep && (isGrey || isRgb);
  const staysGrey = isGrey && holdsGrey;
  // A GIF has no place for a profile that readers look at.
  const keepsOwn = !strip && format !== 'gif' && stored.hasProfile && (isRgb || staysGrey);
  const converts16 = stored.depth === 'ushort' && stored.hasProfile && isRgb && !keepsOwn;
  return {
    space: staysGrey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb',
    profile: keepsOwn ? 'own' : !strip && (stored.hasProfile || stored.space === 'cmyk') ? 'srgb' : 'none',
    deep,
    flatten: format === 'jpeg',
    strip,
    convert16: converts16 ? (deep ? 'in 16 bits' : 'to 8 bits') : undefined,
  };
}

export function applyColourPlan(source: Sharp, plan: ColourPlan): Sharp {
  let pipeline = plan.strip ? source : source.keepIccProfile();
  if (plan.flatten) pipeline = pipeline.flatten({ background: ALPHA_BACKGROUND });
  if (plan.profile === 'srgb') pipeline = pipeline.withIccProfile('srgb');
  if (plan.convert16 === 'in 16 bits') pipeline = pipeline.withIccProfile('srgb', { attach: false });
  if (plan.convert16 === 'to 8 bits') pipeline = pipeline.pipelineColourspace('srgb');
  return pipeline.toColourspace(plan.space);
}
