import { extname } from 'node:path';
import type { PhotoFormat } from './sniff.js';

export const OUTPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The format a file name stands for, or undefined. */
export function outputFormatOf(path: string): OutputFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  const names: Record<string, OutputFormat> = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', tif: 'tiff' };
  return names[extension] ?? OUTPUT_FORMATS.find((format) => format === extension);
}

/** What a photo's crop is where no format is asked for: its own, JPEG of a HEIC, and PNG of a GIF that does not move. */
export function formatOfCrop(format: PhotoFormat, isAnimated: boolean): OutputFormat {
  if (format === 'heic') return 'jpeg';
  return format === 'gif' && !isAnimated ? 'png' : format;
}
