// Runs npm inside npm's own install script, without what the outer one was asked for.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { BuildProblem } from './problem.mjs';
import { findProgram } from './toolchain.mjs';

/** What the outer npm hands down that is about its own project; registries, proxies and caches stay. */
const OUTER =
  /^npm_config_(global|location|prefix|local_prefix|global_prefix|omit|include|only|production|dev|optional|package_lock|package_lock_only|dry_run|save.*|workspaces?|include_workspace_root|install_strategy|global_style|legacy_bundling|json|long|loglevel|audit|fund)$/i;

/**
 * @param {string[]} args
 * @throws {BuildProblem} with npm's reason in one line
 */
export function runNpm(args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUTER.test(name)));
  const [program, ...first] = npmCommand();
  const { status, stderr, error } = spawnSync(program, [...first, ...args, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: program.endsWith('.cmd'),
  });
  if (status !== 0) throw new BuildProblem(`npm ${args[0]} failed: ${error?.message ?? reasonOf(stderr)}`);
}

/** The npm that runs this, where it is one (pnpm and Yarn set the same variable), or the one on PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running && path.basename(running) === 'npm-cli.js') return [process.execPath, running];
  const found = findProgram('npm');
  if (!found) throw new BuildProblem('npm, which downloads the sources of llama.cpp, is not on PATH');
  return [found];
}

function reasonOf(stderr) {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/i, '').trim());
  return lines.filter((line) => line !== '' && !/^(code|errno|syscall) /.test(line))[0] ?? 'it says nothing';
}
