import { defineConfig } from 'vitest/config';
import whole from './vitest.config.js';

/** The inner loop: folders whose tests need neither the built command nor a browser and answer in seconds. */
const FOLDERS = ['base', 'crop', 'engines', 'files', 'gguf', 'photo', 'vlm/answer'];
/** The built command, tools of the system, or more than some seconds. */
const LEFT_OUT = [
  'engines/rules/rules',
  'gguf/fuzz',
  'gguf/toy-in-llama',
  'photo/coordinates',
  'photo/pixel-truth',
  'photo/metadata/damaged',
  'photo/metadata/survival',
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
