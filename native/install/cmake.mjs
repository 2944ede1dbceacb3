// Runs cmake-js with its whole output in a log file, and finds the line of it that matters when it fails.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nativeDir, packageDir } from './packages.mjs';
import { BuildProblem } from './problem.mjs';
import { installCommand } from './toolchain.mjs';

/** Memory one compiler process may take: clip.cpp peaks at 0.5 GB with gcc 12. */
const BYTES_PER_JOB = 0.8e9;

/** Compiler processes to run at once. */
export function defaultJobs() {
  const memory = Math.min(os.totalmem(), process.constrainedMemory() || Infinity);
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(memory / BYTES_PER_JOB)));
}

/**
 * Configures and builds CMakeLists.txt into `outDir`; CMake compiles what changed since the last time.
 * @param {{ outDir: string, logPath: string, defines: Record<string, string>, toolchain: object, jobs: number }} options
 * @throws {BuildProblem} with the reason and the remedy
 */
export async function buildWithCmake({ outDir, logPath, defines, toolchain, jobs }) {
  const cmakeJs = packageDir('cmake-js');
  mkdirSync(path.dirname(outDir), { recursive: true });

  // CMake refuses a cache made at another place, and keeps a compiler that was replaced and variables no longer given.
  const key = JSON.stringify({
    outDir,
    compiler: toolchain.compiler,
    cmake: toolchain.cmake,
    names: Object.keys(defines),
  });
  const keyPath = path.join(outDir, '.configured');
  if (!existsSync(keyPath) || readFileSync(keyPath, 'utf8') !== key) rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });

  const args = ['-d', nativeDir, '-O', outDir, '-p', String(jobs), ...toolchain.cmakeJsArgs];
  for (const [name, value] of Object.entries(defines)) args.push(`--CD${name}=${value}`);
  const log = openSync(logPath, 'w');
  try {
    for (const command of ['configure', 'build']) {
      const status = await run([path.join(cmakeJs, 'bin', 'cmake-js'), command, ...args], log);
      if (status !== 0) throw new BuildProblem(`${explain(readFileSync(logPath, 'utf8'))}; full log: ${logPath}`);
      if (command === 'configure') writeFileSync(keyPath, key);
    }
  } finally {
    closeSync(log);
  }
}

function run(args, log) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 1));
  });
}

/** Failures of other people's build scripts that have a known remedy: pattern in the log, what it means. */
const KNOWN_FAILURES = [
  [/No space left on device/, () => 'the disk is full: free some space and run again'],
  [
    /Killed signal terminated program|cc1plus.*[Kk]illed|virtual memory exhausted|out of memory allocating/,
    () => 'the compiler ran out of memory: run again with fewer at once, npm run build:native -- --jobs 1',
  ],
  [
    /Could not find any Visual Studio installation/,
    () => 'Visual Studio is not installed: get the "Desktop development with C++" build tools of Visual Studio 2022',
  ],
  [
    /No CMAKE_C_COMPILER could be found|No CMAKE_CXX_COMPILER could be found/,
    () =>
      `no C or C++ compiler is installed: ${installCommand({ apt: 'g++', dnf: 'gcc-c++', apk: 'g++', otherwise: 'install GCC or Clang' })}`,
  ],
  [
    /Unable to find cublas_v2\.h|^ +CUDA::cublas/m,
    (log) => {
      const [, major, minor] = /Found CUDAToolkit: .*found version "(\d+)\.(\d+)/.exec(log) ?? [];
      const name = major ? `libcublas-dev-${major}-${minor}` : 'libcublas-dev';
      return (
        `the CUDA toolkit here has no cuBLAS: install ${name} from NVIDIA's package repository, or the whole ` +
        'toolkit from https://developer.nvidia.com/cuda-downloads'
      );
    },
  ],
  [
    /CUDA Toolkit not found|No CMAKE_CUDA_COMPILER could be found|Failed to find nvcc/,
    () =>
      'the CUDA toolkit is not installed, or nvcc is not on PATH: get it from https://developer.nvidia.com/cuda-downloads ' +
      '(or set CUDACXX to nvcc)',
  ],
  [
    /CUDA_ARCHITECTURES is set to "native", but no GPU was detected/,
    () => 'no NVIDIA GPU is in this machine to compile for: name one, e.g. --define CMAKE_CUDA_ARCHITECTURES=89',
  ],
  [
    /Could NOT find Vulkan|provided by "SPIRV-Headers"/,
    () =>
      `the Vulkan headers, glslc or SPIRV-Headers are not installed: ${installCommand({
        apt: 'libvulkan-dev glslc spirv-headers',
        dnf: 'vulkan-loader-devel glslc spirv-headers-devel',
        apk: 'vulkan-loader-dev shaderc spirv-headers',
        pacman: 'vulkan-headers vulkan-icd-loader shaderc spirv-headers',
        otherwise: 'get the Vulkan SDK from https://vulkan.lunarg.com',
      })}`,
  ],
];

/** The first error of a build log in one line, with its remedy where one is known. */
export function explain(log) {
  for (const [pattern, remedy] of KNOWN_FAILURES) if (pattern.test(log)) return remedy(log);
  const lines = log.split('\n');
  const at = lines.findIndex((line) => /\berror\b|CMake Error/i.test(line) && !/^\s*(info|ERR! OMG)/.test(line));
  if (at < 0) return 'the native addon does not compile';
  // CMake puts its message on the lines after "CMake Error at <file>:<line> (<command>):".
  const text = /CMake Error/.test(lines[at]) ? lines.slice(at, at + 4).join(' ') : lines[at];
  return `the native addon does not compile: ${text.replace(/\s+/g, ' ').trim()}`;
}
