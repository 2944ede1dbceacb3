import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { z } from 'zod';
import { FramewrightError } from '../../base/errors.js';
import { isDependency, jsonAt, packageRoot } from './packages.js';
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
  /** Folder whose package.json the packages of prebuilt libraries are resolved from. */
  readonly root: string;
  /** Absent for an addon that somebody built in another way. */
  readonly info: BuildInfo | undefined;
}

export const REBUILD = isDependency ? 'run "npm rebuild framewright"' : 'run "npm run install"';
export const BUILD_FROM_SOURCE = buildFromSource('');

/** What to do to compile llama.cpp here, with further options. */
export function buildFromSource(options: string): string {
  const command = `npm run build:native -- --from-source${options}`;
  return isDependency ? `run "npm explore framewright -- ${command}"` : `run "${command}"`;
}

/**
 * Builds to try, best first: only the explicit one if there is one, else a source build that is not outdated, then the
 * default build. `skipped` says why a source build was passed over.
 * @throws FramewrightError NATIVE_LOAD when there is none
 */
export function findBuilds(
  explicitPath: string | undefined,
  root = packageRoot,
): { builds: readonly Build[]; skipped: readonly string[] } {
  if (explicitPath !== undefined) {
    const addonPath = resolve(explicitPath);
    if (!existsSync(addonPath))
      throw new FramewrightError(
        'NATIVE_LOAD',
        `cannot load the native addon: ${addonPath} does not exist; correct addonPath or FRAMEWRIGHT_ADDON, or leave it out`,
      );
    return { builds: [{ kind: 'explicit', addonPath, root, info: readBuildInfo(addonPath) }], skipped: [] };
  }
  const builds: Build[] = [];
  const skipped: string[] = [];
  const sourcePath = join(root, 'build', 'source', 'framewright.node');
  if (existsSync(sourcePath)) {
    const info = readBuildInfo(sourcePath);
    if (info?.sources === hashSources(join(root, 'native')))
      builds.push({ kind: 'source', addonPath: sourcePath, root, info });
    else skipped.push(`source build: older than the addon's sources; ${BUILD_FROM_SOURCE}`);
  }
  const defaultPath = join(root, 'build', 'Release', 'framewright.node');
  if (existsSync(defaultPath))
    builds.push({ kind: 'default', addonPath: defaultPath, root, info: readBuildInfo(defaultPath) });
  if (builds.length === 0)
    throw new FramewrightError(
      'NATIVE_LOAD',
      `the native addon is not built, ${defaultPath} does not exist: ${REBUILD}, without --ignore-scripts`,
    );
  return { builds, skipped };
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
