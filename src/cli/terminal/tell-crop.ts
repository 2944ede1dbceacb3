import { messageOf } from '../../base/errors.js';
import type { CropRect, CropResult } from '../../base/schema.js';
import type { PhotoFile } from '../../batch/photo-files.js';
import type { CropRun } from '../../batch/run.js';
import { STDOUT, type PlannedPhoto } from '../../batch/planned-photo.js';
import { codeOf, photoErrorText } from './report-error.js';

const WHY_LEFT_ALONE = {
  applied: 'settings that are in its pixels already',
  turned: 'an orientation that its file does not tell',
} as const;

/** What is said about a crop, made now or by an earlier run. */
export function tell(planned: PlannedPhoto, result: CropResult, run: CropRun): void {
  run.review?.add(planned.input, result);
  if (run.verbose) {
    process.stderr.write(`${planned.input}: ${result.verdict}, ${result.why}, ${JSON.stringify(result.timingsMs)}\n`);
  }
  const { sidecar, output = [] } = result;
  if (sidecar?.state === 'manual') {
    const why = sidecar.reason ? WHY_LEFT_ALONE[sidecar.reason] : 'a crop made by hand';
    const what = `${planned.input} has ${why}, and ${sidecar.path} is left as it is`;
    process.stderr.write(`framewright: ${what}; --force writes ours over it\n`);
  }
  if (run.json) writeJson(result);
  else if (run.dryRun) process.stdout.write(`${planned.input}\t${rectText(result.crop)}\n`);
  else if (!output.includes(STDOUT)) {
    const files = sidecar?.state === 'written' ? [...output, sidecar.path] : output;
    process.stdout.write(files.map((file) => `${file}\n`).join(''));
  }
}

/** What a file lacks of its photo's metadata. */
export function tellLeftOut({ path, leftOut }: PhotoFile): void {
  for (const what of leftOut) process.stderr.write(`framewright: ${path} is without the photo's ${what}\n`);
}

export function tellError({ input }: PlannedPhoto, error: unknown, { json }: CropRun): void {
  process.stderr.write(`framewright: ${photoErrorText(input, error)}\n`);
  if (json) {
    writeJson({ schemaVersion: 1, photo: { path: input }, error: { code: codeOf(error), message: messageOf(error) } });
  }
}

function rectText({ x, y, width, height }: CropRect): string {
  return `${x},${y},${width},${height}`;
}

function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
