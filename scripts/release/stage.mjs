// Makes the packages of a release: folders as they are published, and tarballs of them. What is published is not the
// checkout's package.json: it names the packages with the addon, which are on no registry before the release.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUDGET_BYTES, GPU_LIBRARIES, PLATFORMS, packageName } from './platforms.mjs';

export const root = path.resolve(import.meta.dirname, '..', '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
export const manifest = readJson(path.join(root, 'package.json'));
const llamaVersion = readJson(path.join(root, 'native', 'package.json')).dependencies['node-llama-cpp'];

/**
 * @typedef {{ name: string, tarball: string, files: string[], bytes: number, unpackedBytes: number, budgetBytes: number }} Packed
 *   `files`: the paths in it
 */

/**
 * The package `framewright`.
 * @param {string} folder where the tarball goes
 * @param {{ repository?: string }} options `repository`: its URL, which provenance is checked against
 * @returns {Packed}
 */
export function packMain(folder, { repository } = {}) {
  const stage = emptyFolder(folder, 'framewright');
  for (const { path: file } of npmPack(root, ['--dry-run']).files)
    cpSync(path.join(root, file), path.join(stage, file));
  const { scripts, ...rest } = manifest;
  delete rest.devDependencies;
  const gpu = GPU_LIBRARIES.map((name) => `@node-llama-cpp/${name}`);
  writeManifest(stage, {
    ...rest,
    ...repositoryField(repository),
    scripts: { install: scripts.install, 'build:native': scripts['build:native'] },
    optionalDependencies: Object.fromEntries(PLATFORMS.map((each) => [packageName(each), manifest.version])),
    peerDependencies: { ...rest.peerDependencies, ...Object.fromEntries(gpu.map((name) => [name, llamaVersion])) },
    peerDependenciesMeta: {
      ...rest.peerDependenciesMeta,
      ...Object.fromEntries(gpu.map((name) => [name, { optional: true }])),
    },
  });
  return packFolder(stage, folder, BUDGET_BYTES.main);
}

/**
 * The package with the addon of one platform, from what was compiled for it.
 * @param {string} folder where the tarball goes
 * @param {(typeof PLATFORMS)[number]} platform
 * @param {{ buildDir?: string, repository?: string }} options `buildDir`: default, what was compiled in this checkout
 * @returns {Packed}
 */
export function packAddon(folder, platform, { buildDir = defaultBuildDir(platform), repository } = {}) {
  const info = readJson(path.join(buildDir, 'framewright.json'));
  if (info.framewright !== manifest.version) throw new Error(`${buildDir} was compiled for ${info.framewright}`);
  if (info.platform !== platform.libraries)
    throw new Error(
      `${buildDir} is linked to ${info.platform ?? 'its own libraries'}, not ${platform.libraries ?? 'these'}`,
    );
  const stage = emptyFolder(folder, platform.name);
  // The libraries beside a linked addon are node-llama-cpp's, which the package depends on.
  const names = platform.libraries
    ? ['framewright.node']
    : readdirSync(buildDir).filter((name) => name !== 'framewright.json');
  for (const name of names) cpSync(path.join(buildDir, name), path.join(stage, name));
  const { build, llama, sources, compiler } = info;
  writeJson(path.join(stage, 'framewright.json'), {
    build,
    ...(platform.libraries && { platform: platform.libraries }),
    framewright: info.framewright,
    llama,
    sources,
    compiler,
  });
  cpSync(path.join(root, 'LICENSE'), path.join(stage, 'LICENSE'));
  cpSync(llamaLicense(), path.join(stage, 'LICENSE.llama.cpp'));
  writeFileSync(
    path.join(stage, 'README.md'),
    `# ${packageName(platform)}\n\nThe native addon of [framewright](https://www.npmjs.com/package/framewright) for ` +
      `${[platform.os, platform.cpu, platform.libc].filter(Boolean).join(', ')}. Install framewright, not this.\n`,
  );
  writeManifest(stage, {
    name: packageName(platform),
    version: manifest.version,
    description: `The native addon of framewright for ${platform.name}`,
    license: manifest.license,
    author: manifest.author,
    ...repositoryField(repository),
    main: 'framewright.node',
    files: ['*'],
    os: [platform.os],
    cpu: [platform.cpu],
    ...(platform.libc && { libc: [platform.libc] }),
    engines: manifest.engines,
    preferUnplugged: true,
    ...(platform.libraries && { dependencies: { [`@node-llama-cpp/${platform.libraries}`]: llamaVersion } }),
  });
  return packFolder(stage, folder, platform.libraries ? BUDGET_BYTES.linked : BUDGET_BYTES.compiled);
}

function defaultBuildDir({ libraries }) {
  return path.join(root, 'build', libraries ? 'Release' : 'source');
}

function llamaLicense() {
  const found = ['libmtmd', 'llama.cpp']
    .map((name) => path.join(root, 'native', 'vendor', name, 'LICENSE'))
    .find(existsSync);
  if (!found) throw new Error('the sources of llama.cpp are not unpacked: npm run build:native -- --clean');
  return found;
}

function emptyFolder(folder, name) {
  const stage = path.join(folder, 'stage', name);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  return stage;
}

function repositoryField(url) {
  return url ? { repository: { type: 'git', url: `git+${url}.git` } } : {};
}

function writeManifest(stage, content) {
  writeJson(path.join(stage, 'package.json'), content);
}

function writeJson(file, content) {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

function packFolder(stage, folder, budgetBytes) {
  const { filename, files, size, unpackedSize } = npmPack(stage, ['--pack-destination', folder]);
  return {
    name: readJson(path.join(stage, 'package.json')).name,
    tarball: path.join(folder, filename),
    files: files.map((file) => file.path),
    bytes: size,
    unpackedBytes: unpackedSize,
    budgetBytes,
  };
}

function npmPack(cwd, args) {
  const text = execFileSync(npm, ['pack', '--ignore-scripts', '--json', ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  return JSON.parse(text)[0];
}
