import { fillPage } from '../../report/page.js';
import type { Progress } from './checkpoint.js';
import type { HeldOutFigures } from './curves.js';
import type { TrainKind } from './records.js';
import type { TrainSettings } from './settings.js';

/** What the page's scripts find. */
export interface TrainingPageData extends Pick<Progress, 'identity' | 'rows' | 'margins' | 'seconds'> {
  readonly kind: TrainKind;
  readonly beta: number;
  readonly before: HeldOutFigures | null;
}

/** The curves of a run as one HTML page that needs nothing else. */
export async function trainingPage(
  kind: TrainKind,
  { beta }: Pick<TrainSettings, 'beta'>,
  { identity, before, rows, margins, seconds }: Progress,
): Promise<string> {
  const title = kind === 'sft' ? 'Supervised fine-tuning' : 'Direct preference optimization';
  const data: TrainingPageData = { kind, beta, identity, before: before ?? null, rows, margins, seconds };
  return fillPage('training', {
    title: `${title}: ${identity.model ?? ''}`,
    data,
    scripts: ['plot.js', 'page.js'],
  });
}
