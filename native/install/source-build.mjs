// The source build: llama.cpp, libmtmd and the addon all compiled here, for another C library, another GPU or this very CPU.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashOf, hashSources, isUpToDate, writeInfo } from './build-info.mjs';
import { buildWithCmake } from './cmake.mjs';
import { fetchBuildPackages, removeBuildPackages } from './fetch.mjs';
import { placeFile, reasonNotToLoad } from './files.mjs';
import { unpackLlama } from './llama-source.mjs';
import { findLlama, isDependency, nativeDir, pinnedLlama, projectDir, projectVersion } from './packages.mjs';
import { BuildProblem } from './problem.mjs';
import { findCompiler, findToolchain } from './toolchain.mjs';

const resultDir = path.join(projectDir, 'build', 'source');
const workDir = path.join(nativeDir, 'build', 'source');
const logPath = path.join(nativeDir, 'build', 'source.log');

/**
 * Compiles what changed since the last time, if anything, into build/source, which the loader prefers.
 * @param {{ gpu?: 'cuda' | 'vulkan' | 'metal', portable?: boolean, defines?: Record<string, string>, jobs: number,
 *   clean?: boolean, say: (line: string) => void }} options `portable`: without this machine's own CPU instructions;
 *   `defines`: further CMake variables of llama.cpp's, over ours
 * @returns {Promise<boolean>} false when nothing had to be done
 * @throws {BuildProblem}
 */
export async function buildFromSource({ gpu, portable = false, defines = {}, jobs, clean = false, say }) {
  const options = {
    GGML_NATIVE: portable ? 'OFF' : 'ON',
    GGML_CUDA: gpu === 'cuda' ? 'ON' : 'OFF',
    GGML_VULKAN: gpu === 'vulkan' ? 'ON' : 'OFF',
    GGML_METAL: gpu === 'metal' || (process.platform === 'darwin' && !gpu) ? 'ON' : 'OFF',
    ...defines,
  };
  const sources = hashSources(nativeDir);
  const environment = ['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'CUDACXX'].map(
    (name) => process.env[name] || null,
  );
  const inputs = hashOf({ sources, llama: pinnedLlama, options, environment, arch: process.arch });
  if (clean) for (const dir of [resultDir, workDir]) rmSync(dir, { recursive: true, force: true });
  if (isUpToDate(resultDir, inputs, findCompiler())) return false;

  const toolchain = findToolchain();
  fetchBuildPackages({ libraries: [], say });
  const { bundle, release, version } = findLlama();
  say(`compiling llama.cpp and the native addon, ${jobs} files at a time; log: ${logPath}`);
  const source = unpackLlama({ bundle, part: 'all' });
  await buildWithCmake({
    outDir: workDir,
    logPath,
    defines: { LLAMA_SOURCE_DIR: source.dir, LLAMA_COMMIT: source.commit, ...options },
    toolchain,
    jobs,
  });

  const fresh = `${resultDir}.${process.pid}.tmp`;
  mkdirSync(fresh, { recursive: true });
  const files = [path.join(workDir, 'Release', 'framewright.node'), ...builtLibraries(path.join(workDir, 'bin'))];
  for (const file of files) placeFile(file, path.join(fresh, path.basename(file)));
  const reason = reasonNotToLoad(path.join(fresh, 'framewright.node'));
  if (reason) throw new BuildProblem(`the native addon was built but does not load: ${reason}; its files: ${fresh}`);
  const info = {
    build: 'source',
    framewright: projectVersion,
    llama: { release, commit: source.commit, package: version },
  };
  const names = files.map((file) => path.basename(file));
  writeInfo(fresh, { ...info, options, sources, inputs, compiler: toolchain.compiler }, names);
  rmSync(resultDir, { recursive: true, force: true });
  renameSync(fresh, resultDir);
  if (isDependency) {
    for (const dir of [workDir, source.dir]) rmSync(dir, { recursive: true, force: true });
    removeBuildPackages();
  }
  return true;
}

function builtLibraries(dir) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => /^(lib)?(ggml|llama)[^/\\]*\.(so|dylib|dll)$/.test(path.basename(name)))
    .map((name) => path.join(dir, name));
}
