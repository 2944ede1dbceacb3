import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { rulesLabels } from '../../src/engines/rules/index.js';
import { gridBoxes } from '../../src/engines/rules/scoring/grid.js';
import type { BoxDistribution } from '../../src/engines/rules/scoring/select.js';
import type { Raster } from '../../src/engines/types.js';
import { elementSchema, type Element } from '../../src/base/schema.js';
import { z } from 'zod';

/** What the teacher, the `rules` engine, says of one picture. */
export interface TeacherLabels {
  /** Raster pixels. */
  readonly elements: readonly Element[];
  /** All grid boxes with the probability that a person would choose each. */
  readonly distribution: BoxDistribution;
  readonly saliency: { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

const lineSchema = z.object({
  source: z.string(),
  elements: z.array(elementSchema),
  /** Little-endian float32, one for each grid box. */
  probabilities: z.base64(),
  saliency: z.object({ width: z.int(), height: z.int(), data: z.base64() }),
});

export function teacherLabels(raster: Raster): TeacherLabels {
  const { analysis, elements, distribution } = rulesLabels(raster);
  const { width, height, data } = analysis.maps.saliency;
  return { elements, distribution, saliency: { width, height, data: Uint8Array.from(data, (value) => 255 * value) } };
}

/** One line of a label file. */
export function labelLine(source: string, { elements, distribution, saliency }: TeacherLabels): string {
  const probabilities = Buffer.from(Float32Array.from(distribution.probabilities).buffer).toString('base64');
  const data = Buffer.from(saliency.data).toString('base64');
  return `${JSON.stringify({ source, elements, probabilities, saliency: { ...saliency, data } })}\n`;
}

/** By source; the last line wins where one is there twice. */
export async function readLabels(file: string): Promise<Map<string, TeacherLabels>> {
  const boxes = gridBoxes();
  const labels = new Map<string, TeacherLabels>();
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const { source, elements, probabilities, saliency } = lineSchema.parse(JSON.parse(line));
    const floats = new Float32Array(Uint8Array.from(Buffer.from(probabilities, 'base64')).buffer);
    if (floats.length !== boxes.length) {
      throw new Error(
        `${file} was made with another grid of boxes (${floats.length}, now ${boxes.length}); label again`,
      );
    }
    labels.set(source, {
      elements,
      distribution: { boxes, probabilities: Float64Array.from(floats) },
      saliency: { ...saliency, data: Uint8Array.from(Buffer.from(saliency.data, 'base64')) },
    });
  }
  return labels;
}
