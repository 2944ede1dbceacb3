import path from 'node:path';
import { messageOf } from '../../base/errors.js';
import { readTextFile } from '../../files/json-file.js';
import { evaluationSchema, type EvaluationFile, type TrainingRow, type TrainingRun } from './api.js';

/** With every photo of a large data set in it. */
const MOST_BYTES = 256 * 2 ** 20;

/** A file of `framewright eval`; one that cannot be read says why in its place. */
export async function readEvaluation(file: string): Promise<EvaluationFile> {
  const name = path.basename(file);
  try {
    const text = await readTextFile(file, 'evaluation file', MOST_BYTES);
    const read = evaluationSchema.safeParse(JSON.parse(text));
    if (read.success) return { name, result: read.data };
    return { name, problem: 'it is no evaluation: framewright eval writes one with --out' };
  } catch (error) {
    return { name, problem: messageOf(error) };
  }
}

const CURVES = 'curves.csv';

/** The curves of a training run's folder. */
export async function readTraining(folder: string): Promise<TrainingRun> {
  const name = path.basename(path.resolve(folder));
  try {
    const text = await readTextFile(path.join(folder, CURVES), 'curves of a training run', MOST_BYTES);
    const rows = rowsOf(text);
    if (rows) return { name, rows };
    return { name, rows: [], problem: `${CURVES} has other columns than framewright train writes` };
  } catch (error) {
    return { name, rows: [], problem: messageOf(error) };
  }
}

/** Undefined for a file of another kind. No cell of ours is quoted. */
function rowsOf(text: string): TrainingRow[] | undefined {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const columns = head.split(',');
  if (!columns.includes('step') || !columns.includes('loss')) return undefined;
  return lines.map((line) => {
    const cells = line.split(',');
    const cell = (column: string): number | null => {
      const written = cells[columns.indexOf(column)] ?? '';
      const value = Number(written);
      return written === '' || !Number.isFinite(value) ? null : value;
    };
    return {
      step: cell('step') ?? 0,
      loss: cell('loss'),
      accuracy: cell('accuracy'),
      margin: cell('margin'),
      heldOutLoss: cell('held_out_loss'),
      heldOutMargin: cell('held_out_margin'),
      heldOutPreferred: cell('held_out_preferred'),
    };
  });
}
