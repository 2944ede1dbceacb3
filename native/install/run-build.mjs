// What install.mjs and build.mjs share: progress, timing and one line for what went wrong, all on stderr.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { defaultJobs } from './cmake.mjs';
import { buildDefault } from './default-build.mjs';
import { projectDir } from './packages.mjs';
import { BuildProblem } from './problem.mjs';

/** Read by src/runtime/backends/builds.ts, which says it where a model is asked for. */
const problemPath = path.join(projectDir, 'build', 'not-built.json');

export const say = (line) => console.error(`framewright: ${line}`);

/**
 * Builds, and says how it went. `options` are those of build.mjs.
 * @returns {Promise<BuildProblem | undefined>} why nothing was built
 */
export async function runBuild({ fromSource = false, jobs = defaultJobs(), ...options }) {
  const startMs = performance.now();
  try {
    const built = fromSource
      ? await (await import('./source-build.mjs')).buildFromSource({ jobs, say, ...options })
      : await buildDefault({ jobs, say, ...options });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    say(built ? `native addon built in ${seconds} s` : 'native addon is up to date');
    return undefined;
  } catch (problem) {
    if (!(problem instanceof BuildProblem)) throw problem;
    say(problem.message);
    return problem;
  }
}

/** Keeps why the addon could not be built, for the first time it is needed. */
export function noteProblem({ message }) {
  say('models cannot be run until that is mended; everything else works');
  mkdirSync(path.dirname(problemPath), { recursive: true });
  writeFileSync(problemPath, `${JSON.stringify({ problem: message })}\n`);
}

export function forgetProblem() {
  rmSync(problemPath, { force: true });
}
