import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { packageDir, platformName } from '../../native/install/packages.mjs';
import { findProgram } from '../../native/install/toolchain.mjs';

export const projectDir = resolve(import.meta.dirname, '../..');

export interface Sandbox {
  /** Folder of the copied package. */
  readonly root: string;
  /** Folder its dependencies are in. */
  readonly modules: string;
  /** Runs a script of native/install and gives its exit status and output. */
  readonly run: (script: string, options?: RunOptions) => { status: number | null; stdout: string; stderr: string };
  readonly remove: () => void;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Programs to have on PATH, and no others; default: all there are. */
  readonly tools?: readonly string[];
}

export interface SandboxOptions {
  /** Packages to leave out. */
  readonly without?: readonly string[];
  /** Packages to give another version number. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Packages to add, by the files in them. */
  readonly packages?: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>>;
  /** Whether to lay it out as a dependency of another package, beside its own dependencies. */
  readonly asDependency?: boolean;
}

/** A copy of what a build reads (scripts, sources, links to its dependencies) in a temporary folder. */
export function makeSandbox({
  without = [],
  versions = {},
  packages = {},
  asDependency = false,
}: SandboxOptions = {}): Sandbox {
  const base = mkdtempSync(join(tmpdir(), 'framewright-build-'));
  const root = asDependency ? join(base, 'node_modules', 'framewright') : base;
  const modules = join(base, 'node_modules');
  const native = readdirSync(join(projectDir, 'native')).filter((name) => /\.(json|txt)$|^(src|install)$/.test(name));
  for (const name of ['package.json', ...native.map((name) => join('native', name))])
    cpSync(join(projectDir, name), join(root, name), { recursive: true });
  const scope = dirname(packageDir(`@node-llama-cpp/${platformName()}`)!);
  const libraries = readdirSync(scope).map((name) => `@node-llama-cpp/${name}`);
  for (const name of ['node-llama-cpp', 'cmake-js', 'node-addon-api', ...libraries])
    if (!without.includes(name)) copyPackage(name, modules, versions[name]);
  for (const [name, files] of Object.entries(packages)) {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(modules, name, file)), { recursive: true });
      writeFileSync(join(modules, name, file), content);
    }
  }
  return {
    root,
    modules,
    run: (script, options) => runScript(root, script, options),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** The package's folder is real, so that it finds its own dependencies from here; what is in it are links. */
function copyPackage(name: string, modules: string, version: string | undefined): void {
  const from = packageDir(name)!;
  const to = join(modules, name);
  mkdirSync(to, { recursive: true });
  // cmake-js is run, and finds what it needs from its real place.
  for (const entry of readdirSync(from))
    if (entry !== 'package.json') symlinkSync(join(from, entry), join(to, entry));
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(to, 'package.json'), JSON.stringify(version === undefined ? manifest : { ...manifest, version }));
}

function runScript(root: string, script: string, { args = [], env = {}, tools }: RunOptions = {}) {
  let path = process.env.PATH ?? '';
  if (tools) {
    path = join(root, 'tools');
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    for (const tool of tools) {
      const program = findProgram(tool);
      if (program === undefined) throw new Error(`this test needs ${tool} on PATH`);
      symlinkSync(program, join(path, tool));
    }
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'native', 'install', script), ...args], {
    cwd: dirname(root),
    encoding: 'utf8',
    env: { ...process.env, CC: '', CXX: '', FRAMEWRIGHT_BUILD: '', ...env, PATH: path },
  });
  return { status, stdout, stderr };
}
