// What must be so of a package before it is published; each problem is one line.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './stage.mjs';

const ASSETS = [
  ...['native/src/', 'native/install/', 'prompts/', 'report/', 'schemas/', 'web/serve/', 'gguf/nano/'],
  'examples/photos/',
];
/** Of what is tracked there, what only types need. */
const OF_TYPES = /\/tsconfig\.json$|^report\/.*\.d\.ts$/;
const SINGLE = [
  'LICENSE',
  'README.md',
  'binding.gyp',
  'package.json',
  'native/CMakeLists.txt',
  'native/package.json',
  'native/package-lock.json',
  'dist/vendor/chart.umd.min.js',
  'dist/vendor/chart.LICENSE.md',
];
const ADDON_FILES = [
  'LICENSE',
  'LICENSE.llama.cpp',
  'README.md',
  'framewright.json',
  'framewright.node',
  'package.json',
];
const LIBRARY = /^(lib)?(ggml|llama)[^/]*\.(so|dylib|dll)$/;

/** @returns {string[]} */
export function mainProblems(packed) {
  return [
    ...contentProblems(packed, mainFiles()),
    ...sizeProblems(packed),
    ...lint('publint', ['--strict', packed.tarball]),
    ...lint('attw', [packed.tarball, '--profile', 'esm-only']),
  ];
}

/** @returns {string[]} */
export function addonProblems(packed, platform) {
  const libraries = packed.files.filter((file) => LIBRARY.test(file));
  const wrong = platform.libraries ? libraries.map((file) => `${packed.name}: ${file} belongs to node-llama-cpp`) : [];
  const missing =
    platform.libraries || libraries.length > 2 ? [] : [`${packed.name}: the libraries of llama.cpp are missing`];
  return [
    ...contentProblems({ ...packed, files: packed.files.filter((file) => !libraries.includes(file)) }, ADDON_FILES),
    ...wrong,
    ...missing,
    ...sizeProblems(packed),
    ...lint('publint', [packed.tarball]),
  ];
}

/** Everything git tracks that runs or is read at run time, and a compiled file for each source. */
function mainFiles() {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '');
  const sources = tracked.filter((file) => /^(src|gguf)\/.*\.ts$/.test(file));
  return [
    ...SINGLE,
    ...tracked.filter((file) => ASSETS.some((asset) => file.startsWith(asset)) && !OF_TYPES.test(file)),
    ...studioPage(),
    ...sources.flatMap((file) =>
      [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.d.ts')].map((name) => `dist/${name}`),
    ),
  ];
}

/** As Vite has built it, which empties the folder first. */
function studioPage() {
  return readdirSync(path.join(root, 'dist', 'web', 'studio'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
}

function contentProblems({ name, files }, needed) {
  const missing = needed.filter((file) => !files.includes(file));
  const extra = files.filter((file) => !needed.includes(file));
  return [
    ...missing.map((file) => `${name}: ${file} is missing`),
    ...extra.map(
      (file) => `${name}: ${file} has no place in it (npm run build after removing dist, or "files" in package.json)`,
    ),
  ];
}

function sizeProblems({ name, unpackedBytes, budgetBytes }) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  return unpackedBytes <= budgetBytes
    ? []
    : [
        `${name}: ${megabytes(unpackedBytes)} MB, more than the ${megabytes(budgetBytes)} MB it may have (scripts/release/platforms.mjs)`,
      ];
}

function lint(command, args) {
  const bin = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${command}.cmd` : command);
  const { status, stdout, stderr, error } = spawnSync(bin, args, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return status === 0 ? [] : [`${command}: ${error?.message ?? `${stdout}${stderr}`}`];
}
