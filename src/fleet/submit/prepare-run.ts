import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { keyOfSettings } from '../../batch/journal/settings-key.js';
import { commonFolder } from '../../batch/plan/folders.js';
import { parseName } from '../../batch/plan/name-template.js';
import { settingsOf, type BatchSettings } from '../../batch/settings.js';
import { makeFolder } from '../../files/make-folder.js';
import { checkOutputFolder } from '../../files/write.js';
import { isBucketUrl, parseBucketUrl } from '../bucket/bucket-url.js';
import { pathOfPlace } from '../bucket/places.js';
import { madeFor } from '../made-for.js';
import type { RunSpec, RunWishes } from '../run/run-spec.js';
import type { SubmitOptions } from './options.js';
import { photoSource } from './photo-groups.js';
import type { PhotoSource } from './photo-source.js';

const RUN_NAME = /^[\w-][\w.-]{0,63}$/;

/** A run that may be submitted. */
export interface PreparedRun {
  readonly spec: RunSpec;
  readonly settings: BatchSettings;
  readonly source: PhotoSource;
}

/**
 * Checks all that can be refused without the queue, and makes the output folder.
 *
 * @throws FramewrightError as submitRun
 */
export async function prepareRun(options: SubmitOptions): Promise<PreparedRun> {
  const { queue: _, run, priority: __, jobSize: ___, mostWaiting: ____, cropper = {}, ...rest } = options;
  const { name, inputs, recursive = false } = rest;
  const settings = settingsOf({ ...rest, journal: true, resume: true });
  const output = settings.output === undefined ? undefined : outputPlace(settings.output);
  if (output === undefined && settings.xmp === undefined) {
    throw usage('a fleet writes into a folder that all its workers have: name it with --output');
  }
  if (name !== undefined) refuseIndex(name);
  const takesRaw = settings.rawPreview;
  const avoided = output === undefined ? undefined : path.resolve(pathOfPlace(output));
  const source = await photoSource(inputs, { recursive, output: avoided, takesRaw });
  if (settings.xmp !== undefined && [output ?? '', ...source.roots].some(isBucketUrl)) {
    throw usage('--xmp writes into or beside the photos, which a bucket has no way to change; leave it out');
  }
  const home = output ?? path.resolve(commonFolder(source.roots));
  const folder = output === undefined || isBucketUrl(output) ? undefined : output;
  if (folder !== undefined) await checkOutputFolder(path.join(folder, 'x'), { isMade: true });
  const kind = await madeFor(cropper);
  const wishes = wishesOf(settings);
  const named = run ?? defaultName(options, [source.roots, output, wishes, kind]);
  if (!RUN_NAME.test(named)) throw usage(`a run cannot be called "${named}": letters, digits, - _ and . make its name`);
  if (folder !== undefined) await makeFolder(folder);
  const { maxPixels, firstFrame } = options;
  const spec: RunSpec = {
    run: named,
    madeFor: kind,
    home: isBucketUrl(home) ? home : path.resolve(home),
    roots: source.roots,
    ...defined({ output }),
    wishes,
    opening: { ...defined({ maxPixels, firstFrame }), rawPreview: takesRaw },
  };
  const planned = output === undefined ? {} : { output: pathOfPlace(output) };
  return { spec, settings: { ...settings, ...planned }, source };
}

/** A folder, absolute, or a prefix in a bucket; with the slash at its end that makes it one. */
function outputPlace(output: string): string {
  if (!isBucketUrl(output)) return path.resolve(output) + path.sep;
  parseBucketUrl(output);
  return output.replace(/\/*$/, '/');
}

/** What of the options goes to the workers, which is what JSON can say. */
function wishesOf(settings: BatchSettings): RunWishes {
  const { request, encode, top, overlay, lossless, keepTime, force, xmp, xmpName } = settings;
  const { signal: _, series: __, onProgress, onConversation, onThought, ...wishes } = request;
  const { signal: ___, ...written } = encode;
  const all = { ...wishes, ...written, top, overlay, lossless, keepTime, force, ...defined({ xmp, xmpName }) };
  return JSON.parse(JSON.stringify(all)) as RunWishes;
}

/** @throws FramewrightError USAGE */
function refuseIndex(name: string): void {
  parseName(name);
  if (name.includes('{index}')) {
    throw usage('--name with {index} needs all photos counted before the first; use {dir} and {name}');
  }
}

/** The same for the same photos and options. */
function defaultName({ inputs, name, hints }: SubmitOptions, rest: readonly unknown[]): string {
  const paths = inputs.map((input) => path.resolve(pathOfPlace(input)));
  const stem = path.parse(paths[0]!).name.replace(/[^\w-]/g, '_');
  return `${stem.slice(0, 40)}-${keyOfSettings([paths, name, hints, ...rest]).slice(0, 6)}`;
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
