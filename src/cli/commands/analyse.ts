import type { Command } from 'commander';
import { openCropper } from '../../cropper/cropper.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addModelFlags, cropperOptionsOf, parseWhole, type ModelFlags } from '../options.js';
import { warnUntrained } from '../terminal/warnings.js';
import { printText } from '../terminal/visible.js';

interface AnalyseFlags extends ModelFlags {
  readonly json: boolean;
  readonly tilt: boolean;
  readonly seed: number;
}

const HELP = `
Examples:
  framewright analyse photo.jpg
  framewright analyse --json photo.jpg | jq '.[].type'
  framewright analyse --tilt photo.jpg    # and how the photo is tilted, and how sure that is`;

/** `framewright analyse <photo>`: the composition, one element a line. */
export function addAnalyseCommand(program: Command): void {
  const command = program
    .command('analyse')
    .description('name the composition elements of a photo, with coordinates in pixels of the upright photo')
    .argument('<photo>', 'image file')
    .option('--json', 'one JSON array instead of a line an element', false)
    .option(
      '--tilt',
      'also say by how many degrees, clockwise, the photo would have to be turned to be upright; with --json {"elements", "tilt"}',
      false,
    )
    .option('--seed <n>', 'seed', parseWhole('seed', 0, 2 ** 32 - 1), 0)
    .addHelpText('after', HELP);
  addModelFlags(command).action(async (photo: string, flags: AnalyseFlags) => {
    const { signal, stopListening } = interruptSignal();
    try {
      await using cropper = await openCropper({ ...cropperOptionsOf(flags), signal });
      warnUntrained(cropper);
      const elements = await cropper.analyse(photo, { seed: flags.seed, signal });
      const tilt = flags.tilt ? ((await cropper.tilt(photo, { signal })) ?? null) : undefined;
      if (flags.json) {
        printText(`${JSON.stringify(tilt === undefined ? elements : { elements, tilt })}\n`);
        return;
      }
      for (const { type, ...geometry } of elements) {
        printText(`${type}\t${JSON.stringify(Object.values(geometry)[0])}\n`);
      }
      if (tilt !== undefined) printText(`tilt\t${JSON.stringify(tilt)}\n`);
    } finally {
      stopListening();
    }
  });
}
