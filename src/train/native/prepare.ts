import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { counted } from '../../base/counted.js';
import { FramewrightError } from '../../base/errors.js';
import { imagesOf, type TokenisedConversation, type TokenisedPair } from './pieces.js';
import { readPreferenceRecords, readSftRecords, type Placed, type TrainKind } from './records.js';
import type { Renderer } from './render.js';

/** A conversation or pair as tokens, with what its figures are grouped by: those of one photo hang together. */
export interface TrainItem {
  readonly tokens: TokenisedConversation | TokenisedPair;
  /** Its first photo; where it has none, its own place in the file. */
  readonly photo: string;
}

export interface TrainingData {
  readonly train: readonly TrainItem[];
  readonly heldOut: readonly TrainItem[];
  /** Pairs whose two answers are the same, which prefer nothing and were left out. */
  readonly nTies: number;
  /** sha256 over the files. */
  readonly sha256: string;
}

export interface DataOptions {
  /** Photos that nothing is learnt from, by the names of their images in the folder. */
  readonly leaveOut?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/**
 * The data of an export folder as tokens: `<kind>.json`, and `<kind>.heldout.json` where it is there.
 *
 * @throws FramewrightError DATASET_INVALID for what is no such data, or has nothing to learn from; INPUT_NOT_FOUND; the
 * signal's reason
 */
export async function readTrainingData(
  kind: TrainKind,
  folder: string,
  renderer: Renderer,
  { leaveOut = new Set(), signal }: DataOptions = {},
): Promise<TrainingData> {
  const file = path.join(folder, `${kind}.json`);
  if (!existsSync(file))
    throw new FramewrightError(
      'INPUT_NOT_FOUND',
      `${file} is not there: name a folder that "framewright train export" wrote`,
    );
  const all = await readItems(kind, folder, `${kind}.json`, renderer, signal);
  const leftOut = new Set([...leaveOut].map((image) => path.join(folder, image)));
  const train = { ...all, items: all.items.filter(({ photo }) => !leftOut.has(photo)) };
  const heldOutName = `${kind}.heldout.json`;
  const hasHeldOut = existsSync(path.join(folder, heldOutName));
  const heldOut = hasHeldOut ? await readItems(kind, folder, heldOutName, renderer, signal) : NOTHING;
  if (train.items.length === 0)
    throw new FramewrightError(
      'DATASET_INVALID',
      train.nTies > 0
        ? `${file} holds ties only (${counted(train.nTies, 'pair')} with the same answer twice): nothing is preferred to anything`
        : `${file} holds nothing to learn from`,
    );
  const hash = createHash('sha256').update(await readFile(file));
  if (hasHeldOut) hash.update(await readFile(path.join(folder, heldOutName)));
  if (leaveOut.size > 0) hash.update(JSON.stringify([...leaveOut].sort()));
  return {
    train: train.items,
    heldOut: heldOut.items,
    nTies: train.nTies + heldOut.nTies,
    sha256: hash.digest('hex'),
  };
}

interface Items {
  readonly items: readonly TrainItem[];
  readonly nTies: number;
}

const NOTHING: Items = { items: [], nTies: 0 };

async function readItems(
  kind: TrainKind,
  folder: string,
  name: string,
  renderer: Renderer,
  signal: AbortSignal | undefined,
): Promise<Items> {
  if (kind === 'sft') {
    const records = await readSftRecords(folder, name, signal);
    return { items: await mapPlaced(records, (record) => renderer.conversation(record), signal), nTies: 0 };
  }
  const records = await readPreferenceRecords(folder, name, signal);
  const preferring = records.filter(({ record }) => record.chosen !== record.rejected);
  const items = await mapPlaced(preferring, (record) => renderer.pair(record), signal);
  return { items, nTies: records.length - preferring.length };
}

async function mapPlaced<T>(
  records: readonly Placed<T>[],
  render: (record: T) => Promise<TokenisedConversation | TokenisedPair>,
  signal: AbortSignal | undefined,
): Promise<TrainItem[]> {
  const items: TrainItem[] = [];
  for (const { record, from } of records) {
    signal?.throwIfAborted();
    try {
      const tokens = await render(record);
      items.push({ tokens, photo: imagesOf(tokens.pieces)[0]?.file ?? from });
    } catch (error) {
      if (!(error instanceof FramewrightError)) throw error;
      throw new FramewrightError(error.code, `${from}: ${error.message}`, { cause: error });
    }
  }
  return items;
}
