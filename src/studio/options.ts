import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../base/errors.js';
import { checkOptions, type OptionKinds } from '../base/options-check.js';
import type { BatchOptions } from '../batch/options.js';
import { checkStraighten } from '../crop/straighten-wish.js';
import type { ServerOptions } from '../server/options.js';

export interface StudioOptions
  extends
    Omit<ServerOptions, 'root'>,
    Pick<
      BatchOptions,
      | ('format' | 'quality' | 'strip' | 'name' | 'keepTime' | 'maxPixels')
      | ('candidates' | 'votes' | 'minConfidence' | 'minSize' | 'straighten')
    > {
  /** The photos. */
  readonly folder: string;
  /** Look below it. Default false. */
  readonly recursive?: boolean;
  /** Note the crops in XMP sidecars too. Default false. */
  readonly xmp?: boolean;
  /** Where crops are saved. Default `cropped` in the folder. */
  readonly output?: string;
  /** Files of `framewright eval --out`, shown on the page "Learn". */
  readonly evaluations?: readonly string[];
  /** Folders of training runs, shown on the page "Learn". */
  readonly trainings?: readonly string[];
}

const OWN: OptionKinds<Omit<StudioOptions, keyof ServerOptions>> = {
  folder: 'text',
  recursive: 'boolean',
  output: 'text',
  evaluations: 'list',
  trainings: 'list',
  format: 'any',
  quality: 'number',
  strip: 'boolean',
  name: 'text',
  xmp: 'boolean',
  keepTime: 'boolean',
  maxPixels: 'number',
  candidates: 'number',
  votes: 'number',
  minConfidence: 'number',
  minSize: 'number',
  straighten: 'any', // words or a number, which checkStraighten checks
};

/** What is the studio's own, checked. */
export interface StudioSettings {
  readonly folder: string;
  readonly output: string;
  readonly recursive: boolean;
}

/** @throws FramewrightError USAGE */
export async function settleStudio(options: StudioOptions): Promise<{ own: StudioSettings; server: ServerOptions }> {
  const { folder: _, ...rest } = options;
  const server: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) (Object.hasOwn(OWN, name) ? own : server)[name] = value;
  checkOptions('startStudio', own, OWN);
  checkStraighten(options.straighten);
  const folder = path.resolve(options.folder);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new FramewrightError('USAGE', `${options.folder} is no folder: name the one whose photos are to be cropped`);
  }
  const output = path.resolve(options.output ?? path.join(folder, 'cropped'));
  const settled = { folder, output, recursive: options.recursive ?? false };
  return { own: settled, server: server as unknown as ServerOptions };
}
