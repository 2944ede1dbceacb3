/**
 * Display P3 to sRGB by the published primaries (SMPTE EG 432-1 and IEC 61966-2-1, both D65 and both with sRGB's
 * transfer curve), clipped to sRGB's gamut; 8-bit values in and out.
 */
export function displayP3ToSrgb(rgb: readonly number[]): number[] {
  const linear = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return P3_TO_SRGB.map((row) => {
    const value = row.reduce((sum, weight, index) => sum + weight * linear[index]!, 0);
    const clipped = Math.max(0, Math.min(1, value));
    return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
  });
}

/** XYZ to linear sRGB times linear Display P3 to XYZ, as CSS Color 4 publishes them. */
const P3_TO_SRGB: readonly (readonly number[])[] = [
  [1.2249401762805598, -0.22494017628055996, 0],
  [-0.042056954709688163, 1.0420569547096881, 0],
  [-0.019637554590334432, -0.078636045550631889, 1.0982736001409663],
];
