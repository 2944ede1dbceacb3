// What install.mjs and build.mjs share: progress, timing and one line for what went wrong, all on stderr.
import { performance } from 'node:perf_hooks';
import { defaultJobs } from './cmake.mjs';
import { buildDefault } from './default-build.mjs';
import { BuildProblem } from './problem.mjs';

const say = (line) => console.error(`framewright: ${line}`);

/** Builds, and sets the exit status. `options` are those of build.mjs. */
export async function runBuild({ fromSource = false, jobs = defaultJobs(), ...options }) {
  const startMs = performance.now();
  try {
    const built = fromSource
      ? await (await import('./source-build.mjs')).buildFromSource({ jobs, say, ...options })
      : await buildDefault({ jobs, say, ...options });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    say(built ? `native addon built in ${seconds} s` : 'native addon is up to date');
  } catch (problem) {
    if (!(problem instanceof BuildProblem)) throw problem;
    say(problem.message);
    process.exitCode = 1;
  }
}
