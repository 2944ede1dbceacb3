// npm's install script: compiles libmtmd and the addon against the prebuilt llama.cpp libraries of the platform package.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cmakeJs } from './cmake.mjs';
import { unpackLlama } from './llama-source.mjs';
import { linkFile } from './files.mjs';
import { coreLibraries, findLlama, projectDir } from './packages.mjs';

const outDir = path.join(import.meta.dirname, 'build', 'default');
const logPath = path.join(import.meta.dirname, 'build', 'default.log');
mkdirSync(outDir, { recursive: true });
rmSync(logPath, { force: true });

const llama = findLlama();
const source = unpackLlama({ bundle: llama.bundle, part: 'mtmd' });
const defines = { LLAMA_SOURCE_DIR: source.dir, LLAMA_LIBRARY_DIR: llama.libraryDir };
for (const command of ['configure', 'build']) {
  const status = await cmakeJs(command, { outDir, logPath, defines, jobs: os.availableParallelism() });
  if (status !== 0) {
    console.error(`framewright: the native addon does not compile; see ${logPath}`);
    process.exit(1);
  }
}
const releaseDir = path.join(projectDir, 'build', 'Release');
mkdirSync(releaseDir, { recursive: true });
copyFileSync(path.join(outDir, 'Release', 'framewright.node'), path.join(releaseDir, 'framewright.node'));
for (const { name, path: library } of coreLibraries(llama.libraryDir)) linkFile(library, path.join(releaseDir, name));
