// npm run install:gpu -- cuda | cuda-ext | vulkan, in a checkout: downloads the prebuilt library of a GPU backend, which
// nothing installs unasked. Where Framewright is a dependency, its package is installed beside it.
import { installPackages } from './fetch.mjs';
import { LIBRARIES_SCOPE, platformName } from './packages.mjs';
import { BuildProblem } from './problem.mjs';
import { say } from './run-build.mjs';

const USAGE = `Usage: npm run install:gpu -- cuda | cuda-ext | vulkan

  cuda       NVIDIA GPUs with the CUDA 13 runtime
  cuda-ext   NVIDIA GPUs with the CUDA 12 runtime
  vulkan     any GPU with a Vulkan driver
`;

const [backend, ...others] = process.argv.slice(2);
if (!['cuda', 'cuda-ext', 'vulkan'].includes(backend) || others.length > 0) {
  process.stderr.write(USAGE);
  process.exit(2);
}
try {
  const name = `${LIBRARIES_SCOPE}/${platformName()}-${backend}`;
  say(`downloading ${name}`);
  installPackages([`${LIBRARIES_SCOPE}/${platformName()}`, name]);
  say('done; "npx framewright doctor" shows whether it runs');
} catch (problem) {
  if (!(problem instanceof BuildProblem)) throw problem;
  say(problem.message);
  process.exitCode = 1;
}
