import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../base/errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import type { Finding } from './finding.js';

const FORMATS = ['jpeg', 'png', 'webp', 'heif', 'tiff', 'gif'] as const;

/** sharp and libvips. Loaded here and not before: a sharp that does not load is one of the things to be found. */
export async function checkSharp(): Promise<Finding> {
  try {
    const { sharp } = await import('../photo/vips.js');
    const missing = FORMATS.filter((format) => !sharp.format[format].input.buffer);
    const names = FORMATS.map((format) => (format === 'heif' ? 'AVIF' : format.toUpperCase())).join(', ');
    const summary = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
    if (missing.length === 0) return { check: 'sharp', status: 'ok', summary: `${summary}: ${names}` };
    return {
      check: 'sharp',
      status: 'warning',
      summary: `${summary} cannot read ${missing.join(', ')}`,
      remedies: ["use sharp's own libvips: npm install sharp, without SHARP_FORCE_GLOBAL_LIBVIPS"],
    };
  } catch (error) {
    return {
      check: 'sharp',
      status: 'problem',
      summary: `sharp does not load: ${messageOf(error).split('\n', 1)[0] ?? ''}`,
      remedies: ['run "npm install --include=optional sharp"'],
    };
  }
}

/** Where hashes and journals are kept. Without it all works, and slower. */
export async function checkCache(): Promise<Finding> {
  const folder = cacheFolder();
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      await access(existing, constants.W_OK);
      return { check: 'cache', status: 'ok', summary: `cache folder ${folder}` };
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (isMissing && existing !== path.dirname(existing)) continue;
      return {
        check: 'cache',
        status: 'warning',
        summary: `the cache folder ${folder} cannot be written`,
        remedies: ['set XDG_CACHE_HOME to a folder that can; until then large models are hashed at every start'],
      };
    }
  }
}
