import { defineConfig } from 'vite';
import path from 'node:path';

// Builds the pages of the studio and of a study into dist/web/studio, where src/studio/routes/page.ts serves them from.
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: path.resolve(import.meta.dirname, '..', '..', 'dist', 'web', 'studio'),
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { input: ['index.html', 'study.html'].map((name) => path.join(import.meta.dirname, name)) },
    // The page's rules let no script stand in the HTML, and it loads what it needs by itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
