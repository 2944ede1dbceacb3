// The programs a build needs, found before anything is unpacked, and how to install what is missing.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { BuildProblem } from './problem.mjs';

const MIN_CMAKE = [3, 16]; // unity builds

/** Absolute path of a program on PATH, or undefined. */
export function findProgram(name) {
  const extensions = process.platform === 'win32' ? (process.env.PATHEXT ?? '.EXE;.CMD').split(';') : [''];
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const extension of extensions) {
      const file = path.join(dir || '.', name + extension);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // not in this folder
      }
    }
  }
  return undefined;
}

function firstLineOf(program, ...args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0].trim() : undefined;
}

/** The command that installs something here, by the package manager on PATH: `sudo apt-get install cmake`. */
export function installCommand(packages) {
  const managers = {
    apt: ['apt-get', 'sudo apt-get install'],
    dnf: ['dnf', 'sudo dnf install'],
    apk: ['apk', 'apk add'],
    pacman: ['pacman', 'sudo pacman -S'],
    brew: ['brew', 'brew install'],
  };
  for (const [key, [program, command]] of Object.entries(managers)) {
    if (packages[key] && findProgram(program)) return `${command} ${packages[key]}`;
  }
  return packages.otherwise;
}

const INSTALL_CMAKE = {
  apt: 'cmake',
  dnf: 'cmake',
  apk: 'cmake',
  pacman: 'cmake',
  brew: 'cmake',
  otherwise: 'get it from https://cmake.org/download',
};
const INSTALL_COMPILER = {
  apt: 'g++ make',
  dnf: 'gcc-c++ make',
  apk: 'g++ make',
  pacman: 'gcc make',
  otherwise: process.platform === 'darwin' ? 'xcode-select --install' : 'install GCC 9 or Clang 10, or newer, and make',
};

/**
 * Checks for CMake, a C++ compiler and make or Ninja, and names the compiler.
 * @returns {{ compiler: string, cmake: string, cmakeJsArgs: string[] }} first lines of `--version`
 * @throws {BuildProblem} naming the first thing missing and how to install it
 */
export function findToolchain() {
  const cmake = findProgram('cmake');
  if (!cmake) throw new BuildProblem(`CMake is not installed: ${installCommand(INSTALL_CMAKE)}`);
  const cmakeVersion = firstLineOf(cmake, '--version') ?? '';
  const [, major, minor] = (/(\d+)\.(\d+)/.exec(cmakeVersion) ?? []).map(Number);
  if (!(major > MIN_CMAKE[0] || (major === MIN_CMAKE[0] && minor >= MIN_CMAKE[1])))
    throw new BuildProblem(
      `CMake ${MIN_CMAKE.join('.')} or newer is needed, ${cmake} is "${cmakeVersion}": ${installCommand(INSTALL_CMAKE)}`,
    );
  // cmake-js looks for Visual Studio itself, and says so if there is none.
  if (process.platform === 'win32') return { compiler: 'msvc', cmake: cmakeVersion, cmakeJsArgs: [] };

  const { CC: c, CXX: cxx } = process.env;
  const compiler = findCompiler();
  if (!compiler)
    throw new BuildProblem(
      cxx
        ? `the C++ compiler CXX=${cxx} cannot be run: correct or unset CXX`
        : `no C++ compiler is installed: ${installCommand(INSTALL_COMPILER)}`,
    );
  if (!findProgram('ninja') && !findProgram('make'))
    throw new BuildProblem(`neither make nor ninja is installed: ${installCommand(INSTALL_COMPILER)}`);
  // Without these cmake-js insists on a program named g++ or clang++.
  return { compiler, cmake: cmakeVersion, cmakeJsArgs: cxx ? ['--cc', c || 'cc', '--cxx', cxx] : [] };
}

/** First line of the C++ compiler's `--version`; undefined where there is none. */
export function findCompiler() {
  if (process.platform === 'win32') return 'msvc';
  const { CXX: cxx } = process.env;
  const found = cxx || ['g++', 'clang++'].find(findProgram);
  // CMake takes c++, a link to one of the two, where it exists.
  return found && firstLineOf(cxx || findProgram('c++') || found, '--version');
}

/**
 * glibc's version as [major, minor]; undefined with another C library.
 * @returns {number[] | undefined}
 */
export function glibcVersion() {
  if (process.platform !== 'linux') return undefined;
  process.report.excludeNetwork = true;
  const version = process.report.getReport().header.glibcVersionRuntime;
  return version?.split('.').map(Number);
}

/**
 * Newest version of glibc that libraries ask for, as [major, minor]: their symbols' versions have names as `GLIBC_2.17`.
 * @returns {number[]}
 */
export function neededGlibc(libraryPaths) {
  const versions = libraryPaths.flatMap((file) =>
    [...readFileSync(file, 'latin1').matchAll(/\0GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [+major, +minor]),
  );
  return versions.sort((a, b) => b[0] - a[0] || b[1] - a[1])[0] ?? [0, 0];
}
