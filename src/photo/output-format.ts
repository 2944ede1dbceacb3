import { extname } from 'node:path';

export const OUTPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The format a file name stands for, or undefined. */
export function outputFormatOf(path: string): OutputFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  const names: Record<string, OutputFormat> = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', tif: 'tiff' };
  return names[extension] ?? OUTPUT_FORMATS.find((format) => format === extension);
}
