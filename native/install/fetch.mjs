// What only a build takes is downloaded when something is built: llama.cpp's sources and what compiles them, in the versions
// of native/package-lock.json, into native/node_modules.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runNpm } from './npm.mjs';
import { LIBRARIES_SCOPE, buildPackages, nativeDir, packageDir, packageVersion, pinnedLlama } from './packages.mjs';

const modulesDir = path.join(nativeDir, 'node_modules');

/**
 * Downloads what is not there yet in the right version.
 * @param {{ libraries: string[], say: (line: string) => void }} options `libraries`: names of packages of prebuilt libraries
 *   that are wanted too, e.g. `@node-llama-cpp/linux-x64`
 * @throws {BuildProblem}
 */
export function fetchBuildPackages({ libraries, say }) {
  const wanted = { ...buildPackages };
  for (const name of libraries) wanted[name] = pinnedLlama;
  if (Object.entries(wanted).every(([name, version]) => isInstalled(name, version))) return;
  say('downloading llama.cpp and what compiles it');
  installPackages(libraries);
}

/**
 * Installs what native/package.json names and packages of prebuilt libraries besides, keeping those that are there.
 * @param {string[]} libraries
 * @throws {BuildProblem}
 */
export function installPackages(libraries) {
  // npm removes what it is not told to keep. Without --omit=optional it would fetch the libraries of every GPU.
  const kept = [...new Set([...libraries, ...librariesHere()])].map((name) => `${name}@${pinnedLlama}`);
  const flags = ['--no-save', '--save-prod', '--omit=optional', '--ignore-scripts'];
  runNpm(['install', '--prefix', nativeDir, ...flags, ...kept]);
}

/** Removes all of it but the libraries, which the addon is linked to. */
export function removeBuildPackages() {
  for (const name of readFolder(modulesDir))
    if (name !== LIBRARIES_SCOPE) rmSync(path.join(modulesDir, name), { recursive: true, force: true });
}

function isInstalled(name, version) {
  const dir = packageDir(name);
  return dir !== undefined && packageVersion(dir) === version;
}

function librariesHere() {
  return readFolder(path.join(modulesDir, LIBRARIES_SCOPE)).map((name) => `${LIBRARIES_SCOPE}/${name}`);
}

function readFolder(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
