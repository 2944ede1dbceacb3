import type { CropEachOptions, Cropper, PhotoOutcome } from '../cropper.js';
import { messageOf } from '../errors.js';
import { writeCrop, writeOverlay, type EncodeOptions } from '../image/export.js';
import type { CropRect, CropResult } from '../schema.js';
import type { PlannedPhoto } from './output-plan.js';
import { Progress } from './progress.js';
import { codeOf, errorLine } from './report-error.js';

/** A run of the crop command, checked and planned. */
export interface CropRun {
  readonly plan: readonly PlannedPhoto[];
  readonly request: CropEachOptions & { readonly signal: AbortSignal };
  readonly encode: EncodeOptions;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Crops and writes photo by photo; a photo that fails is told on stderr and the rest go on. Returns how many failed. */
export async function cropFiles(cropper: Cropper, run: CropRun): Promise<number> {
  const progress = new Progress();
  let nDone = 0;
  let nFailed = 0;
  const show = (): void =>
    progress.show(`${nDone} of ${run.plan.length} photos${nFailed > 0 ? `, ${nFailed} failed` : ''}`);
  show();
  try {
    for await (const outcome of cropper.cropEach(
      run.plan.map(({ input }) => input),
      run.request,
    )) {
      const planned = run.plan[nDone]!;
      const error = await settle(outcome, planned, run, progress);
      if (error !== undefined) {
        if (run.request.signal.aborted) throw run.request.signal.reason;
        nFailed++;
        progress.clear();
        process.stderr.write(`${errorLine(error)}\n`);
        if (run.json)
          writeJson({
            schemaVersion: 1,
            photo: { path: planned.input },
            error: { code: codeOf(error), message: messageOf(error) },
          });
      }
      nDone++;
      show();
    }
  } finally {
    progress.clear();
  }
  if (nFailed > 0 && run.plan.length > 1) {
    process.stderr.write(`framewright: ${nFailed} of ${run.plan.length} photos failed\n`);
  }
  return nFailed;
}

/** Writes what one photo gives; returns the error that prevented it. */
async function settle(
  outcome: PhotoOutcome,
  planned: PlannedPhoto,
  run: CropRun,
  progress: Progress,
): Promise<unknown> {
  if (!outcome.results) return outcome.error;
  try {
    for (const [target, result] of outcome.results.entries()) {
      const output = run.dryRun ? [] : await writeResult(result, planned, target, run.encode);
      progress.clear();
      if (run.verbose)
        process.stderr.write(
          `${planned.input}: ${result.verdict}, ${result.why}, ${JSON.stringify(result.timingsMs)}\n`,
        );
      if (run.json) writeJson(run.dryRun ? result : { ...result, output });
      else if (run.dryRun) process.stdout.write(`${planned.input}\t${rectText(result.crop)}\n`);
      else process.stdout.write(output.map((file) => `${file}\n`).join(''));
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

async function writeResult(
  result: CropResult,
  planned: PlannedPhoto,
  target: number,
  encode: EncodeOptions,
): Promise<string[]> {
  const size = result.target.size && { width: result.target.size.widthPx, height: result.target.size.heightPx };
  const files = planned.crops[target]!;
  const rects = bestFirst(result).slice(0, files.length);
  for (const [k, rect] of rects.entries()) {
    await writeCrop(planned.input, rect, files[k]!, { ...encode, ...(size ? { size } : {}) });
  }
  const overlay = planned.overlays[target];
  if (overlay !== undefined) await writeOverlay(planned.input, result, overlay, encode);
  return [...files.slice(0, rects.length), ...(overlay === undefined ? [] : [overlay])];
}

/** The crop, then the other candidates by falling score. */
function bestFirst(result: CropResult): CropRect[] {
  const others = result.candidates
    .filter((_, i) => i !== result.best)
    .sort((a, b) => b.modelScore - a.modelScore)
    .map(({ box: [x1, y1, x2, y2] }) => ({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }));
  return [result.crop, ...others];
}

function rectText({ x, y, width, height }: CropRect): string {
  return `${x},${y},${width},${height}`;
}

function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
