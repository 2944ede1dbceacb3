// Puts the one file of Chart.js that pages take into dist/, so that users need not install the rest of it (7 MB).
// Part of `npm run build`.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '..', 'dist', 'vendor');
const library = path.dirname(createRequire(import.meta.url).resolve('chart.js'));
mkdirSync(folder, { recursive: true });
copyFileSync(path.join(library, 'chart.umd.min.js'), path.join(folder, 'chart.umd.min.js'));
copyFileSync(path.join(library, '..', 'LICENSE.md'), path.join(folder, 'chart.LICENSE.md'));
