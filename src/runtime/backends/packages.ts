import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

/** Folder of this package: the nearest one above that holds a package.json, from the sources as from dist/. */
export const packageRoot = findRoot(import.meta.dirname);

/** Whether this package was installed for another one, rather than being a checkout someone works in. */
export const isDependency = packageRoot.split(sep).includes('node_modules');

function findRoot(dir: string): string {
  return existsSync(join(dir, 'package.json')) ? dir : findRoot(dirname(dir));
}

/** Flag of npm for what was installed for all projects: only where npm has no project above is that so. */
export const globalFlag = isDependency && !existsSync(join(projectAbove(), 'package.json')) ? ' --global' : '';

function projectAbove(): string {
  const parts = packageRoot.split(sep);
  return parts.slice(0, parts.indexOf('node_modules')).join(sep);
}

export interface InstalledPackage {
  readonly dir: string;
  readonly version: string;
}

/**
 * Name of the package with the addon ready built for this machine, e.g. `@framewright/linux-x64`, which the published
 * package has as an optional dependency; computed as native/install/packages.mjs does.
 */
export function addonPackageName(): string {
  const libc = process.platform === 'linux' && !hasGlibc() ? '-musl' : '';
  return `@framewright/${process.platform}-${process.arch}${libc}`;
}

function hasGlibc(): boolean {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  // Asked for the names of hosts, it may wait for a name server.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** A package as seen from the package.json of another one, wherever hoisting put it. */
export function findPackage(name: string, fromDir: string): InstalledPackage | undefined {
  const { resolve } = createRequire(join(fromDir, 'package.json'));
  for (const modules of resolve.paths(name) ?? []) {
    const dir = join(modules, name);
    const version = jsonAt(join(dir, 'package.json'))?.version;
    // Some package managers install links, and a package finds its dependencies from its real place.
    if (typeof version === 'string') return { dir: realpathSync(dir), version };
  }
  return undefined;
}

export function jsonAt(path: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
