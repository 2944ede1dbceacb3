// The default build: libmtmd and the addon compiled here, linked to the platform package's prebuilt llama.cpp libraries.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hashOf, hashSources, isUpToDate, writeInfo } from './build-info.mjs';
import { buildWithCmake } from './cmake.mjs';
import { fetchBuildPackages, removeBuildPackages } from './fetch.mjs';
import { linkFile, placeFile, reasonNotToLoad } from './files.mjs';
import { definitionFile } from './import-library.mjs';
import { unpackLlama } from './llama-source.mjs';
import {
  LIBRARIES_SCOPE,
  coreLibraries,
  findLlama,
  isDependency,
  platformName,
  nativeDir,
  projectDir,
  projectVersion,
} from './packages.mjs';
import { BuildProblem } from './problem.mjs';
import { findCompiler, findToolchain, glibcVersion, neededGlibc } from './toolchain.mjs';

const releaseDir = path.join(projectDir, 'build', 'Release');
const workDir = path.join(nativeDir, 'build', 'default');
const logPath = path.join(nativeDir, 'build', 'default.log');

const FROM_SOURCE = isDependency
  ? 'install again with FRAMEWRIGHT_BUILD=source set in the environment'
  : 'run npm run build:native -- --from-source';

/**
 * Compiles what changed since the last time, if anything, into build/Release.
 * @param {{ jobs: number, clean?: boolean, say: (line: string) => void }} options
 * @returns {Promise<boolean>} false when nothing had to be done
 * @throws {BuildProblem}
 */
export async function buildDefault({ jobs, clean = false, say }) {
  const problem = whyNotLinked();
  if (problem) throw problem;
  const sources = hashSources(nativeDir);
  if (clean) for (const dir of [releaseDir, workDir]) rmSync(dir, { recursive: true, force: true });
  const compiler = findCompiler();
  const before = findLlama();
  if (before.libraryDir && isUpToDate(releaseDir, inputsOf(sources, before), compiler)) return false;

  const toolchain = findToolchain();
  fetchBuildPackages({ libraries: [libraryPackage()], say });
  const llama = findLlama();
  requireGlibc(llama.libraryDir);
  const inputs = inputsOf(sources, llama);
  say(`compiling the native addon, ${jobs} files at a time; log: ${logPath}`);
  const source = unpackLlama({ bundle: llama.bundle, part: 'mtmd' });
  const libraries = coreLibraries(llama.libraryDir);
  const defines = {
    LLAMA_SOURCE_DIR: source.dir,
    LLAMA_LIBRARIES: linkable(libraries).join(';'),
    LLAMA_PACKAGE: llama.platform,
    FRAMEWRIGHT_WERROR: process.env.FRAMEWRIGHT_WERROR ? 'ON' : 'OFF',
  };
  await buildWithCmake({ outDir: workDir, logPath, defines, toolchain, jobs });

  mkdirSync(releaseDir, { recursive: true });
  for (const library of libraries) linkFile(library.path, path.join(releaseDir, library.name));
  const addonPath = path.join(releaseDir, 'framewright.node');
  placeFile(path.join(workDir, 'Release', 'framewright.node'), addonPath);
  const reason = reasonNotToLoad(addonPath);
  if (reason) throw new BuildProblem(`the native addon was built but does not load (${reason}): ${FROM_SOURCE}`);

  const { platform, release, version } = llama;
  const info = {
    build: 'default',
    platform,
    framewright: projectVersion,
    llama: { release, commit: source.commit, package: version },
  };
  const files = ['framewright.node', ...libraries.map(({ name }) => name)];
  writeInfo(releaseDir, { ...info, sources, inputs, compiler: toolchain.compiler }, files);
  if (isDependency) {
    for (const dir of [workDir, source.dir]) rmSync(dir, { recursive: true, force: true });
    removeBuildPackages();
  }
  return true;
}

/** What the linker takes for each library: itself, or on Windows the definition file of its import library. */
function linkable(libraries) {
  if (process.platform !== 'win32') return libraries.map(({ path: file }) => file);
  const dir = path.join(nativeDir, 'build', 'import');
  mkdirSync(dir, { recursive: true });
  return libraries.map(({ name, path: file }) => {
    const definition = path.join(dir, name.replace(/dll$/, 'def'));
    writeFileSync(definition, definitionFile(file));
    return definition;
  });
}

function inputsOf(sources, { libraryDir, platformVersion }) {
  return hashOf({
    sources,
    libraries: [platformVersion, coreLibraries(libraryDir).map(({ name, size }) => [name, size])],
    environment: ['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'FRAMEWRIGHT_WERROR'].map(
      (name) => process.env[name] || null,
    ),
    arch: process.arch,
  });
}

function libraryPackage() {
  return `${LIBRARIES_SCOPE}/${platformName()}`;
}

/** Why the prebuilt libraries cannot be used here, as far as that is known without them. */
export function whyNotLinked() {
  if (!platformName())
    return new BuildProblem(
      `there are no prebuilt llama.cpp libraries for ${process.platform}-${process.arch}: ${FROM_SOURCE}`,
    );
  if (process.platform === 'linux' && !glibcVersion())
    return new BuildProblem(
      `the prebuilt llama.cpp libraries need glibc, and this system has another C library: ${FROM_SOURCE}`,
    );
  return undefined;
}

function requireGlibc(libraryDir) {
  const glibc = glibcVersion();
  const needed = neededGlibc(coreLibraries(libraryDir).map(({ path: file }) => file));
  if (glibc && (glibc[0] < needed[0] || (glibc[0] === needed[0] && glibc[1] < needed[1])))
    throw new BuildProblem(
      `the prebuilt llama.cpp libraries need glibc ${needed.join('.')}, and this system has ${glibc.join('.')}: ${FROM_SOURCE}`,
    );
}
