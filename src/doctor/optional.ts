import { JPEGTRAN_REMEDY, lookForJpegtran } from '../photo/lossless/jpegtran.js';
import { installLine, isInstalled, OPTIONAL_PACKAGES, type OptionalUse } from '../files/optional-packages.js';
import { findPackage } from '../runtime/backends/packages.js';
import { packageRoot } from '../files/package-root.js';
import type { Finding } from './finding.js';

const WHAT_FOR: Readonly<Record<OptionalUse, string>> = {
  server: 'framewright serve and studio',
  heic: 'HEIC photos',
  faces: '--faces and --engine faces',
  fleet: 'framewright fleet',
  buckets: 'photos in S3 buckets',
};

/** What more could be done here, and what that takes. */
export function checkOptional(): Finding[] {
  const uses = Object.keys(WHAT_FOR) as OptionalUse[];
  return [...uses.map(checkUse), checkJpegtran()];
}

function checkUse(use: OptionalUse): Finding {
  const names: readonly string[] = OPTIONAL_PACKAGES[use];
  if (!names.every(isInstalled)) return missing(use, WHAT_FOR[use], installLine(use));
  const versions = names.map((name) => [name, findPackage(name, packageRoot)?.version ?? ''].join(' ').trimEnd());
  return found(use, WHAT_FOR[use], versions.join(', '));
}

function checkJpegtran(): Finding {
  const what = '--lossless (JPEGs cut as they are)';
  const program = lookForJpegtran();
  return program === undefined ? missing('lossless', what, JPEGTRAN_REMEDY) : found('lossless', what, program);
}

function found(check: string, what: string, which: string): Finding {
  return { check, status: 'ok', summary: `${what}: ${which}`, isOptional: true };
}

function missing(check: string, what: string, remedy: string): Finding {
  return { check, status: 'note', summary: `${what}: not installed`, remedies: [remedy], isOptional: true };
}
