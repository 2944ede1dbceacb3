// Where npm put llama.cpp: its sources (a git bundle) in node-llama-cpp, its libraries in a package for each platform.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export const projectDir = path.resolve(import.meta.dirname, '../..');

/** Holds the addon's sources, and what is unpacked and compiled. */
export const nativeDir = path.join(projectDir, 'native');
const requireFromProject = createRequire(path.join(projectDir, 'package.json'));

/** Whether this package was installed for another one, rather than being a checkout someone works in. */
export const isDependency = projectDir.split(path.sep).includes('node_modules');

/** Folder of an installed package, wherever hoisting put it, or undefined. `from` is a file inside the package that depends on it. */
export function packageDir(name, from) {
  const require = from ? createRequire(from) : requireFromProject;
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

/** Name of the package with the libraries for this machine, e.g. `linux-x64`; undefined where there is none. */
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
  if (!dir) return {};
  const bundle = path.join(dir, 'llama', 'gitRelease.bundle');
  const info = path.join(dir, 'llama', 'binariesGithubRelease.json');
  const name = platformName();
  const platformDir = name && packageDir(`@node-llama-cpp/${name}`, path.join(dir, 'package.json'));
  const libraryDir = platformDir && path.join(platformDir, 'bins', name);
  return {
    platform: name,
    version: packageVersion(dir),
    release: existsSync(info) ? JSON.parse(readFileSync(info, 'utf8')).release : undefined,
    bundle: existsSync(bundle) ? bundle : undefined,
    platformVersion: platformDir && packageVersion(platformDir),
    libraryDir: libraryDir && existsSync(libraryDir) ? libraryDir : undefined,
  };
}

/** The libraries the addon is linked to, sorted by name; backends are loaded by path at run time. */
export function coreLibraries(dir) {
  // libllama.<release>.so, libllama.metal.<release>.dylib, llama.<release>.dll; libllama-common is none of them.
  return readdirSync(dir)
    .filter((name) => /^(lib)?(ggml-base|ggml|llama)(\.[^-]*)?\.(so|dylib|dll)$/.test(name))
    .sort()
    .map((name) => ({ name, path: path.join(dir, name), size: statSync(path.join(dir, name)).size }));
}
