import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

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
