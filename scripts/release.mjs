// Makes all packages of a version, checks them, and publishes them where it is asked to. After `npm ci`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { addonProblems, mainProblems } from './release/check.mjs';
import { BUDGET_BYTES, PLATFORMS, packageName, thisPlatform } from './release/platforms.mjs';
import { readPacked } from './release/read-packed.mjs';
import { manifest, packAddon, packMain, root } from './release/stage.mjs';

const USAGE = `Usage: npm run release -- [options]

Makes the package framewright and, from what is compiled here, the package with this platform's addon; checks their contents,
sizes and types.

  --out DIR          where the tarballs go (build/release)
  --only-addon       this platform's addon alone, as each machine of the build matrix does
  --addons DIR       tarballs of other platforms' addons, from those machines
  --tag NAME         refuse to go on unless this is the version's tag
  --repository URL   where the sources are, which provenance is checked against
  --publish          publish them with provenance, the addons first; refused unless every platform's is there
`;
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(root, 'build', 'release') },
    'only-addon': { type: 'boolean', default: false },
    addons: { type: 'string' },
    tag: { type: 'string' },
    repository: { type: 'string' },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else release();

function release() {
  const { version } = manifest;
  if (values.tag !== undefined && values.tag !== `v${version}`)
    return fail([`the tag is ${values.tag}, the version in package.json ${version}`]);
  const out = path.resolve(values.out);
  mkdirSync(out, { recursive: true });
  const options = { repository: values.repository };

  const addons = values.addons === undefined ? [] : addonsIn(path.resolve(values.addons));
  const here = thisPlatform();
  if (here && !addons.some(({ name }) => name === packageName(here))) addons.push(packAddon(out, here, options));
  const packages = values['only-addon'] ? addons : [...addons, packMain(out, options)];

  const missing = PLATFORMS.map(packageName).filter((name) => !packages.some((each) => each.name === name));
  const problems = packages.flatMap((each) => {
    const platform = PLATFORMS.find((known) => packageName(known) === each.name);
    return platform ? addonProblems(each, platform) : mainProblems(each);
  });
  for (const { name, files, bytes, unpackedBytes } of packages)
    console.log(`${name}: ${files.length} files, ${megabytes(bytes)} MB, unpacked ${megabytes(unpackedBytes)} MB`);
  if (values.publish) problems.push(...missing.map((name) => `${name} is missing: nothing is published`));
  if (problems.length > 0) return fail(problems);
  if (!values.publish) {
    console.log(`in order, in ${out}${missing.length > 0 ? `; without ${missing.join(', ')}` : ''}`);
    return;
  }
  for (const { tarball } of packages)
    execFileSync('npm', ['publish', tarball, '--provenance', '--access', 'public'], { stdio: 'inherit' });
}

function addonsIn(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => {
      const tarball = path.join(folder, file);
      const { manifest: its, files, bytes, unpackedBytes } = readPacked(tarball);
      if (its.version !== manifest.version)
        throw new Error(`${tarball} is of version ${its.version}, this is ${manifest.version}`);
      const platform = PLATFORMS.find((known) => packageName(known) === its.name);
      if (!platform) throw new Error(`${tarball} is ${its.name}, which is no package of an addon`);
      const budgetBytes = platform.libraries ? BUDGET_BYTES.linked : BUDGET_BYTES.compiled;
      return { name: its.name, tarball, files, bytes, unpackedBytes, budgetBytes };
    });
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function fail(problems) {
  for (const problem of problems) console.error(problem);
  process.exitCode = 1;
}
