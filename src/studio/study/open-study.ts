import path from 'node:path';
import { ScreenPictures } from '../screen-pictures.js';
import { planFor, type ShownPair } from './judge-plan.js';
import { judgeCodes } from './judges.js';
import { JudgementLog } from './judgement-log.js';
import { readStudy, type Study } from './study-file.js';

/** A study that people judge. */
export interface OpenStudy extends AsyncDisposable {
  readonly study: Study;
  readonly log: JudgementLog;
  /** Of each judge. */
  readonly codes: readonly string[];
  /** What each judge is shown. */
  readonly plans: readonly (readonly ShownPair[])[];
  readonly pictures: ScreenPictures;
}

/**
 * Opens a study with the judgements made so far, which lie beside its file: `study.judgements.jsonl` of `study.json`.
 *
 * @throws FramewrightError as readStudy; OUTPUT_LOCKED, OUTPUT_WRITE
 */
export async function openStudy(file: string, { maxPixels }: { readonly maxPixels?: number } = {}): Promise<OpenStudy> {
  const study = await readStudy(file);
  const { dir, name } = path.parse(path.resolve(file));
  const log = await JudgementLog.open(path.join(dir, `${name}.judgements.jsonl`));
  return {
    study,
    log,
    codes: judgeCodes(log.secret, study.judges),
    plans: Array.from({ length: study.judges }, (_, judge) => planFor(study, judge)),
    pictures: new ScreenPictures(maxPixels),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
