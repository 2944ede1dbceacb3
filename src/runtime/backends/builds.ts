import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { z } from 'zod';
import { FramewrightError } from '../../base/errors.js';
import { globalFlag, isDependency, packageRoot } from '../../files/package-root.js';
import { addonPackageName, findPackage, jsonAt, type InstalledPackage } from './packages.js';
import type { RuntimeInfo } from '../types.js';

/** What native/install/build-info.mjs writes beside an addon. */
const buildInfoSchema = z.object({
  /** Version of this package. */
  framewright: z.string(),
  /** `release` is llama.cpp's, `package` the version of node-llama-cpp it came in. */
  llama: z.object({ release: z.string(), package: z.string() }),
  /** Name of the prebuilt libraries' package, `linux-x64`; absent when they were compiled too. */
  platform: z.string().optional(),
  /** Hash of the addon's sources. */
  sources: z.string(),
});
export type BuildInfo = z.infer<typeof buildInfoSchema>;

export interface Build {
  readonly kind: RuntimeInfo['build'];
  readonly addonPath: string;
  /** Folders from whose package.json the packages of llama.cpp's prebuilt libraries are resolved, first to last. */
  readonly searched: readonly string[];
  /** Absent for an addon that somebody built in another way. */
  readonly info: BuildInfo | undefined;
}

/** Not `npm rebuild`, which skips the script of a package that nobody allowed to have one. */
export const REBUILD = isDependency
  ? `run "npm explore framewright${globalFlag} -- npm run install"`
  : 'run "npm run install"';
export const BUILD_FROM_SOURCE = buildFromSource('');

/** What to do to compile llama.cpp here, with further options. */
export function buildFromSource(options: string): string {
  const command = `npm run build:native -- --from-source${options}`;
  return isDependency ? `run "npm explore framewright${globalFlag} -- ${command}"` : `run "${command}"`;
}

/** A package of llama.cpp's prebuilt libraries, wherever npm put it. */
export function findLibraries(build: Build, name: string): InstalledPackage | undefined {
  for (const folder of build.searched) {
    const found = findPackage(name, folder);
    if (found) return found;
  }
  return undefined;
}

/**
 * Builds to try, best first: only the explicit one if there is one, else a source build that is not outdated, the one
 * compiled here, and the one that a package brought. `skipped` says why one was passed over.
 * @throws FramewrightError NATIVE_LOAD when there is none
 */
export function findBuilds(
  explicitPath: string | undefined,
  root = packageRoot,
): { builds: readonly Build[]; skipped: readonly string[] } {
  const nativeDir = join(root, 'native');
  const buildAt = (kind: Build['kind'], addonPath: string, searched = [nativeDir]): Build => ({
    kind,
    addonPath,
    searched,
    info: readBuildInfo(addonPath),
  });
  if (explicitPath !== undefined) {
    const addonPath = resolve(explicitPath);
    if (!existsSync(addonPath))
      throw new FramewrightError(
        'NATIVE_LOAD',
        `cannot load the native addon: ${addonPath} does not exist; correct addonPath or FRAMEWRIGHT_ADDON, or leave it out`,
      );
    return { builds: [buildAt('explicit', addonPath)], skipped: [] };
  }
  const builds: Build[] = [];
  const skipped: string[] = [];
  const sourcePath = join(root, 'build', 'source', 'framewright.node');
  if (existsSync(sourcePath)) {
    const build = buildAt('source', sourcePath);
    if (build.info?.sources === hashSources(nativeDir)) builds.push(build);
    else skipped.push(`source build: older than the addon's sources; ${BUILD_FROM_SOURCE}`);
  }
  const defaultPath = join(root, 'build', 'Release', 'framewright.node');
  if (existsSync(defaultPath)) builds.push(buildAt('default', defaultPath));
  const prebuilt = findPackage(addonPackageName(), root);
  const version = jsonAt(join(root, 'package.json'))?.version;
  if (prebuilt?.version === version && prebuilt)
    builds.push(buildAt('prebuilt', join(prebuilt.dir, 'framewright.node'), [prebuilt.dir, nativeDir]));
  else if (prebuilt)
    skipped.push(`prebuilt addon: ${addonPackageName()} is ${prebuilt.version}, this is ${String(version)}`);
  if (builds.length === 0) throw new FramewrightError('NATIVE_LOAD', explainMissing(root, skipped));
  return { builds, skipped };
}

/** Why there is no addon and how to get one. native/install/run-build.mjs notes why it could not be compiled. */
function explainMissing(root: string, skipped: readonly string[]): string {
  const { optionalDependencies } = z
    .object({ optionalDependencies: z.record(z.string(), z.string()).default({}) })
    .parse(jsonAt(join(root, 'package.json')) ?? {});
  const name = addonPackageName();
  const published = optionalDependencies[name];
  const noted = jsonAt(join(root, 'build', 'not-built.json'))?.problem;
  const uncompiled =
    typeof noted === 'string' ? `it could not be compiled: ${noted}` : 'its install script was not run';
  const why = [...skipped, ...(published === undefined ? [] : [`${name} is not installed`]), uncompiled].join('; ');
  const ways = [
    ...(published === undefined ? [] : [`run "npm install${globalFlag} ${name}@${published}"`]),
    `${typeof noted === 'string' ? 'mend that and ' : ''}${REBUILD}`,
  ];
  return `the native addon, which models run on, is missing (${why}): ${ways.join(', or ')}; --engine rules does without`;
}

function readBuildInfo(addonPath: string): BuildInfo | undefined {
  return buildInfoSchema.safeParse(jsonAt(join(dirname(addonPath), 'framewright.json'))).data;
}

/** Hash of the addon's own sources, computed as native/install/build-info.mjs does. */
export function hashSources(nativeDir: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(join(nativeDir, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cpp|h)$/.test(name))
    .map((name) => `src/${name.replaceAll(sep, '/')}`);
  for (const name of ['CMakeLists.txt', ...names.sort()]) {
    const bytes = readFileSync(join(nativeDir, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}
