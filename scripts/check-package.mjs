// What npm would publish of the built project: holds all it must and nothing else, and fits its package.json (publint)
// and its types (are-the-types-wrong). Prints what is wrong and exits with 1.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packInto } from './pack.mjs';

const root = path.resolve(import.meta.dirname, '..');
const ASSETS = ['native/src/', 'native/install/', 'prompts/', 'report/', 'schemas/', 'gguf/nano/'];
const SINGLE = ['LICENSE', 'README.md', 'binding.gyp', 'package.json', 'native/CMakeLists.txt', 'native/package.json', 'native/package-lock.json', 'dist/vendor/chart.umd.min.js', 'dist/vendor/chart.LICENSE.md'];

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-pack-'));
try {
  const { tarball, files, bytes } = packInto(folder);
  const problems = [
    ...contentProblems(files),
    ...lint('publint', ['--strict', tarball]),
    ...lint('attw', [tarball, '--profile', 'esm-only']),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`the package is in order: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Everything git tracks that runs or is read at run time, and a compiled file for each source. */
function contentProblems(files) {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '');
  const sources = tracked.filter((file) => /^(src|gguf)\/.*\.ts$/.test(file));
  const needed = [
    ...SINGLE,
    ...tracked.filter((file) => ASSETS.some((asset) => file.startsWith(asset)) && !file.endsWith('/tsconfig.json')),
    ...sources.flatMap((file) =>
      [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.d.ts')].map((name) => `dist/${name}`),
    ),
  ];
  const missing = needed.filter((file) => !files.includes(file));
  const extra = files.filter((file) => !needed.includes(file));
  return [
    ...missing.map((file) => `missing from the package: ${file}`),
    ...extra.map(
      (file) => `has no place in the package: ${file} (npm run build after removing dist, or "files" in package.json)`,
    ),
  ];
}

function lint(command, args) {
  const bin = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${command}.cmd` : command);
  const { status, stdout, stderr, error } = spawnSync(bin, args, { encoding: 'utf8' });
  return status === 0 ? [] : [`${command}: ${error?.message ?? `${stdout}${stderr}`}`];
}
