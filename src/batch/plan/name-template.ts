import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { outputFormatOf } from '../../photo/output-format.js';

/** What a name may be made of, by placeholder. */
interface NameParts {
  /** The photo's name without its extension. */
  readonly name: string;
  /** Where the photo lies below the folder it was found in. Default `.`, that folder itself. */
  readonly dir?: string;
  /** `4x5`, `1080x1350`, or `crop` where any shape was asked for. */
  readonly aspect: string;
  /** 1 for the best candidate. */
  readonly rank: number;
  /** The photo's place among all of the run, from 1, as many digits as the last one's has. */
  readonly index: string;
  /** Of the output, with its dot. */
  readonly ext: string;
}

const PLACEHOLDERS = ['name', 'aspect', 'rank', 'index', 'ext', 'dir'] as const satisfies readonly (keyof NameParts)[];

export const DEFAULT_NAME = '{dir}/{name}-{aspect}{ext}';

/**
 * Checks a template such as `{aspect}/{name}-{rank}{ext}` and returns what fills it in. A name without an extension of
 * its own gets the output's; further candidates are told apart by a number even where `{rank}` is not used.
 *
 * @throws FramewrightError USAGE for a placeholder there is none of, or a place outside the output folder; what is returned
 *   does so too, for what a photo's own name makes of it.
 */
export function parseName(template: string): (parts: NameParts) => string {
  const refuse = (why: string): FramewrightError => new FramewrightError('USAGE', `--name ${template}: ${why}`);
  const known = PLACEHOLDERS.map((name) => `{${name}}`).join(', ');
  for (const [, placeholder = ''] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (!PLACEHOLDERS.some((name) => name === placeholder)) {
      throw refuse(`there is no {${placeholder}}; there are ${known}`);
    }
  }
  if (/[{}]/.test(template.replace(/\{\w+\}/g, ''))) throw refuse(`a brace stands alone; there are ${known}`);
  if (path.isAbsolute(template) || template.split(/[/\\]/).includes('..')) {
    throw refuse('it must stay in the output folder; --output names another');
  }
  if (template.includes('\0')) throw refuse('a name has no NUL');
  if (/(?:^|[/\\])$/.test(template)) throw refuse('it names no file');
  const stem = template.replace(/\{ext\}$/, '');
  const ownExtension = outputFormatOf(stem) === undefined ? undefined : path.extname(stem);
  const tellsRank = template.includes('{rank}');
  return (parts) => {
    const filled = stem.replace(/\{(\w+)\}/g, (_, name: keyof NameParts) => String(parts[name] ?? '.'));
    const base = ownExtension === undefined ? filled : filled.slice(0, -ownExtension.length);
    const rank = tellsRank || parts.rank === 1 ? '' : `-${parts.rank}`;
    const name = base + rank + (ownExtension ?? parts.ext);
    const why = unfit(name);
    if (why !== undefined)
      throw refuse(`for the photo ${parts.name} it gives ${name}, ${why}; rename it, or use {index}`);
    return path.normalize(name);
  };
}

/** Windows has these names for devices, whatever their extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])\s*(?:\.|$)/i;

/** Why a name leads elsewhere than it says, if it does. */
export function unfit(name: string, platform: NodeJS.Platform = process.platform): string | undefined {
  const isWindows = platform === 'win32';
  const parts = name.split(isWindows ? /[/\\]/ : '/');
  if (parts.includes('..') || path.isAbsolute(name)) return 'which is outside the output folder';
  if (!isWindows) return undefined;
  // Windows takes dots and spaces off the end: "a." is a, and ".. " is the folder above.
  if (parts.some((part) => part !== '.' && /[. ]$/.test(part))) return 'where a part ends with a dot or a space';
  if (parts.some((part) => DEVICE.test(part))) return 'which is the name of a device';
  return /[<>:"|?*]/.test(name) ? 'which has characters that Windows does not take' : undefined;
}
