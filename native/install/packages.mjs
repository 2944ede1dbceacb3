// Where npm put llama.cpp: its sources (a git bundle) in node-llama-cpp, its libraries in a package for each platform, and
// the addon ready built in a package of ours.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { glibcVersion } from './toolchain.mjs';

export const projectDir = path.resolve(import.meta.dirname, '../..');

/** Holds the addon's sources, and what is unpacked and compiled. */
export const nativeDir = path.join(projectDir, 'native');

/** Where node-llama-cpp's packages of prebuilt libraries are. */
export const LIBRARIES_SCOPE = '@node-llama-cpp';

/** Whether this package was installed for another one, rather than being a checkout someone works in. */
export const isDependency = projectDir.split(path.sep).includes('node_modules');

/** Folder of an installed package as the addon's sources see it, wherever hoisting put it, or undefined. */
export function packageDir(name) {
  const require = createRequire(path.join(nativeDir, 'package.json'));
  for (const modules of require.resolve.paths(name) ?? []) {
    const dir = path.join(modules, name);
    // Some package managers install links, and a package finds its dependencies from its real place.
    if (existsSync(path.join(dir, 'package.json'))) return realpathSync(dir);
  }
  return undefined;
}

/** @returns {string} */
export function packageVersion(dir) {
  return JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')).version;
}

export const projectVersion = packageVersion(projectDir);

/** Packages that a build takes, with their exact versions. */
export const buildPackages = JSON.parse(readFileSync(path.join(nativeDir, 'package.json'), 'utf8')).dependencies;

/** The version of node-llama-cpp, and of its packages of libraries, that the addon is made for. */
export const pinnedLlama = buildPackages['node-llama-cpp'];

/** Name of node-llama-cpp's package with the libraries for this machine, e.g. `linux-x64`; undefined where there is none. */
export function platformName(platform = process.platform, arch = process.arch) {
  const names = {
    'linux-x64': 'linux-x64',
    'linux-arm64': 'linux-arm64',
    'linux-arm': 'linux-armv7l',
    'linux-riscv64': 'linux-riscv64',
    'darwin-arm64': 'mac-arm64-metal',
    'darwin-x64': 'mac-x64',
    'win32-x64': 'win-x64',
    'win32-arm64': 'win-arm64',
  };
  return names[`${platform}-${arch}`];
}

/**
 * What the build needs of node-llama-cpp and its platform package; a part that is not installed is undefined.
 * @returns {{ platform?: string, version?: string, release?: string, bundle?: string, platformVersion?: string, libraryDir?: string }}
 *   `version` of node-llama-cpp, `release` of llama.cpp by its tag
 */
export function findLlama() {
  const dir = packageDir('node-llama-cpp');
  const platform = platformName();
  const platformDir = platform && packageDir(`${LIBRARIES_SCOPE}/${platform}`);
  const libraryDir = platformDir && path.join(platformDir, 'bins', platform);
  const bundle = dir && path.join(dir, 'llama', 'gitRelease.bundle');
  const info = dir && path.join(dir, 'llama', 'binariesGithubRelease.json');
  return {
    platform,
    version: dir && packageVersion(dir),
    release: info && existsSync(info) ? JSON.parse(readFileSync(info, 'utf8')).release : undefined,
    bundle: bundle && existsSync(bundle) ? bundle : undefined,
    platformVersion: platformDir && packageVersion(platformDir),
    libraryDir: libraryDir && existsSync(libraryDir) ? libraryDir : undefined,
  };
}

/**
 * Name of our package with the addon ready built for this machine, e.g. `@framewright/linux-x64`.
 * src/runtime/backends/packages.ts computes the same.
 */
export function addonPackage() {
  const libc = process.platform === 'linux' && !glibcVersion() ? '-musl' : '';
  return `@framewright/${process.platform}-${process.arch}${libc}`;
}

/** The libraries the addon is linked to, sorted by name; backends are loaded by path at run time. */
export function coreLibraries(dir) {
  // libllama.<release>.so, libllama.metal.<release>.dylib, llama.<release>.dll; libllama-common is none of them.
  return readdirSync(dir)
    .filter((name) => /^(lib)?(ggml-base|ggml|llama)(\.[^-]*)?\.(so|dylib|dll)$/.test(name))
    .sort()
    .map((name) => ({ name, path: path.join(dir, name), size: statSync(path.join(dir, name)).size }));
}
