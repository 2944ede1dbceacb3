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
 * @throws FramewrightError USAGE for a placeholder there is none of, or a place outside the output folder.
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
  if (/(?:^|[/\\])$/.test(template)) throw refuse('it names no file');
  const stem = template.replace(/\{ext\}$/, '');
  const ownExtension = outputFormatOf(stem) === undefined ? undefined : path.extname(stem);
  const tellsRank = template.includes('{rank}');
  return (parts) => {
    const filled = stem.replace(/\{(\w+)\}/g, (_, name: keyof NameParts) => String(parts[name] ?? '.'));
    const base = ownExtension === undefined ? filled : filled.slice(0, -ownExtension.length);
    const rank = tellsRank || parts.rank === 1 ? '' : `-${parts.rank}`;
    return path.normalize(base + rank + (ownExtension ?? parts.ext));
  };
}
