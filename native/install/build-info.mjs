// What a build was made from, kept beside its result so that the same is not compiled twice and the loader knows what it loads.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const INFO_NAME = 'framewright.json';

/** Hash of the addon's own sources. src/runtime/backends/builds.ts computes the same to notice an outdated build. */
export function hashSources(nativeDir) {
  const srcDir = path.join(nativeDir, 'src');
  const hash = createHash('sha256');
  const names = readdirSync(srcDir, { recursive: true })
    .filter((name) => /\.(cpp|h)$/.test(name))
    .map((name) => `src/${name.replaceAll(path.sep, '/')}`);
  for (const name of ['CMakeLists.txt', ...names.sort()]) {
    const bytes = readFileSync(path.join(nativeDir, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

export function hashOf(value) {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

export function readInfo(dir) {
  try {
    return JSON.parse(readFileSync(path.join(dir, INFO_NAME), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether `dir` holds the result of a build from the same inputs and compiler, with every file of it still there.
 * Where no compiler is installed (undefined), the one it was built with is as good as any.
 */
export function isUpToDate(dir, inputs, compiler) {
  const info = readInfo(dir);
  if (info?.inputs !== inputs || (compiler && info.compiler !== compiler)) return false;
  return Object.entries(info.files).every(([name, size]) => {
    const file = path.join(dir, name);
    return existsSync(file) && statSync(file).size === size;
  });
}

/** Written last: a build that was interrupted has none. */
export function writeInfo(dir, info, fileNames) {
  const files = Object.fromEntries(fileNames.map((name) => [name, statSync(path.join(dir, name)).size]));
  writeFileSync(path.join(dir, INFO_NAME), `${JSON.stringify({ ...info, files }, null, 2)}\n`);
}
