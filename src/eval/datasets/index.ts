import { readCadb } from './cadb.js';
import { readFcdbCrops, readFcdbPairs } from './fcdb.js';
import { readFlms } from './flms.js';
import { readGaicd } from './gaicd.js';
import { readGenCrop } from './gencrop.js';
import { readOwn } from './own.js';
import { readPlaces } from './places.js';
import { readSubjects } from './subjects.js';
import type { Dataset, DatasetOptions } from './types.js';

/** Data sets by the name the command line knows them by. */
export const DATASET_READERS = {
  flms: readFlms,
  gaicd: readGaicd,
  fcdb: readFcdbCrops,
  'fcdb-pairs': readFcdbPairs,
  cadb: readCadb,
  gencrop: readGenCrop,
  subjects: readSubjects,
  places: readPlaces,
  own: readOwn,
} as const satisfies Record<string, (folder: string, options?: DatasetOptions) => Promise<Dataset>>;

export type DatasetName = keyof typeof DATASET_READERS;
