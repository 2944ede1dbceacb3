// The addon ready built, in a package of its own for each platform that the published package has as an optional dependency.
import path from 'node:path';
import { reasonNotToLoad } from './files.mjs';
import { addonPackage, packageDir, packageVersion, projectVersion } from './packages.mjs';

/** @returns {{ name: string, problem?: string } | undefined} undefined where there is none; `problem`: why it cannot be used */
export function findPrebuilt() {
  const name = addonPackage();
  const dir = packageDir(name);
  if (!dir) return undefined;
  const version = packageVersion(dir);
  if (version !== projectVersion) return { name, problem: `it is version ${version}, this is ${projectVersion}` };
  return { name, problem: reasonNotToLoad(path.join(dir, 'framewright.node')) };
}
