import { defineConfig } from 'vitest/config';
import whole from './vitest.config.js';

/** The inner loop: folders whose tests need neither the built command nor a browser and answer in seconds. */
const FOLDERS = ['base', 'crop', 'engines', 'files', 'gguf', 'photo', 'vlm/answer'];
/** The built command, tools of the system, or more than some seconds. */
const LEFT_OUT = [
  'crop/impossible-targets',
  'crop/thousandths',
  'engines/rules/rules',
  'gguf/convert',
  'gguf/fuzz',
  'gguf/lora-convert',
  'gguf/toy',
  'gguf/toy-in-llama',
  'photo/colour-chunks',
  'photo/coordinates',
  'photo/overlay/overlay',
  'photo/png-metadata',
  'photo/pixel-truth',
  'photo/metadata/damaged',
  'photo/metadata/sidecar',
  'photo/metadata/survival',
  'vlm/answer/forms',
  'vlm/answer/true-reasons',
];

export default defineConfig((environment) => ({
  test: {
    ...whole(environment).test,
    include: FOLDERS.map((folder) => `test/${folder}/**/*.test.ts`),
    exclude: LEFT_OUT.map((file) => `test/${file}.test.ts`),
    // Each worker loads the modules once, not once for each file.
    isolate: false,
  },
}));
