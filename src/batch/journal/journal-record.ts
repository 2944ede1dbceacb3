import type { CropResult } from '../../base/schema.js';
import type { SourceState } from './source-state.js';

/** Bumped when a record changes its meaning: older ones are then read no more. */
export const VERSION = 1;

/** A file a run has made, with the hash of its bytes. */
export interface MadeFile {
  readonly path: string;
  readonly sha256: string;
}

/** What there is to note of a photo that is done. */
export interface FinishedPhoto {
  readonly files: readonly MadeFile[];
  /** The names its files were to have, those of crops left for review included. */
  readonly planned: readonly string[];
  readonly source: SourceState;
  readonly results: readonly CropResult[];
}

interface Begun {
  readonly version: typeof VERSION;
  readonly photo: string;
  readonly key: string;
  readonly files: readonly MadeFile[];
}
type WritingRecord = Begun & { readonly what: 'writing' };
export type DoneRecord = Begun & FinishedPhoto & { readonly what: 'done' };

/** Before a file about a run as a whole (a report, a contact sheet, a review list) takes its name. */
interface SummaryRecord {
  readonly version: typeof VERSION;
  readonly what: 'summary';
  readonly files: readonly MadeFile[];
}

/** A line of a journal; its paths are relative to the journal's place. */
export type JournalRecord = WritingRecord | DoneRecord | SummaryRecord;

/** Whether a line is of a journal of crops at all; others, of evaluations, are kept in the same form. */
export function isOfAnyVersion(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'version' in value && 'what' in value;
}

/** A line that passes its checksum was written by us, so its version says all there is to check. */
export function isRecord(value: unknown): value is JournalRecord {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION;
}
