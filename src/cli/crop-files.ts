import type { CropEachOptions, Cropper, PhotoOutcome } from '../cropper.js';
import path from 'node:path';
import { messageOf } from '../errors.js';
import { encodeCrop, outputFormatOf, type EncodeOptions, type OutputFormat } from '../image/encode.js';
import { writeFileAtomic } from '../image/write.js';
import type { Photo } from '../image/decode.js';
import { renderOverlay, type Drawing } from '../image/overlay.js';
import type { CropRect, CropResult } from '../schema.js';
import { makeFolder } from './make-folder.js';
import type { PlannedPhoto } from './output-plan.js';
import { Progress } from './progress.js';
import { codeOf, errorLine } from './report-error.js';
import type { Summary } from './summaries.js';

/** A run of the crop command, checked and planned. */
export interface CropRun {
  readonly plan: readonly PlannedPhoto[];
  readonly request: CropEachOptions & { readonly signal: AbortSignal };
  readonly encode: EncodeOptions;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly summaries: readonly Summary[];
}

/** Crops and writes photo by photo; a photo that fails is told on stderr and the rest go on. Returns how many failed. */
export async function cropFiles(cropper: Pick<Cropper, 'cropEach'>, run: CropRun): Promise<number> {
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
        for (const summary of run.summaries) summary.fail(planned.input, error);
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
    // Also when interrupted: what was done until then is worth a look.
    if (nDone > 0) for (const summary of run.summaries) await summary.write();
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
      const output = run.dryRun ? [] : await writeResult(outcome.photo, result, planned, target, run);
      progress.clear();
      if (run.verbose)
        process.stderr.write(
          `${planned.input}: ${result.verdict}, ${result.why}, ${JSON.stringify(result.timingsMs)}\n`,
        );
      if (run.json) writeJson(run.dryRun ? result : { ...result, output });
      else if (run.dryRun) process.stdout.write(`${planned.input}\t${rectText(result.crop)}\n`);
      else process.stdout.write(output.map((file) => `${file}\n`).join(''));
    }
    for (const summary of run.summaries) {
      await summary.add(planned.input, outcome.photo, outcome.results, run.request.signal);
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

async function writeResult(
  photo: Photo,
  result: CropResult,
  planned: PlannedPhoto,
  target: number,
  { encode, force, request: { signal } }: CropRun,
): Promise<string[]> {
  const size = result.target.size && { width: result.target.size.widthPx, height: result.target.size.heightPx };
  const files = planned.crops[target]!;
  const written: string[] = [];
  const write = async (file: string, bytes: Uint8Array): Promise<void> => {
    await makeFolder(path.dirname(file));
    await writeFileAtomic(file, bytes, { force, signal });
    written.push(file);
  };
  for (const [k, crop] of bestFirst(result).slice(0, files.length).entries()) {
    const image = await encodeCrop(photo, {
      ...encode,
      ...formatFor(files[k]!, encode),
      crop,
      ...(size ? { resize: size } : {}),
    });
    await write(files[k]!, image.bytes);
  }
  const overlay = planned.overlays[target];
  if (overlay !== undefined) {
    const image = await renderOverlay(photo, drawingOf(result), { ...encode, ...formatFor(overlay, encode) });
    await write(overlay, image.bytes);
  }
  return written;
}

/** The format the file's name says, so that a name never lies. */
function formatFor(file: string, { format }: EncodeOptions): { format?: OutputFormat } {
  const named = format ?? outputFormatOf(file);
  return named ? { format: named } : {};
}

/** Composition, candidates numbered as proposed, and the crop. */
function drawingOf({ photo, analysis, candidates, best, crop, verdict }: CropResult): Drawing {
  return {
    space: { width: photo.widthPx, height: photo.heightPx },
    elements: analysis,
    candidates: candidates.map(({ box }) => box),
    ...(verdict === 'crop' && {
      best: { box: [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height], number: best + 1 },
    }),
  };
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
