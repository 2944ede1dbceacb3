// npm's install script. Compiles the addon only where no package brings it ready built, and fails only where it was asked to
// compile: everything but the models works without the addon.
//   FRAMEWRIGHT_BUILD=source   compiles llama.cpp as well, prebuilt or not
//   FRAMEWRIGHT_BUILD=none     does nothing
import { whyNotLinked } from './default-build.mjs';
import { isDependency } from './packages.mjs';
import { findPrebuilt } from './prebuilt.mjs';
import { forgetProblem, noteProblem, runBuild, say } from './run-build.mjs';

const choice = process.env.FRAMEWRIGHT_BUILD || 'default';
if (choice === 'source') process.exitCode = (await runBuild({ fromSource: true })) ? 1 : 0;
else if (choice !== 'none') await install();

async function install() {
  const prebuilt = findPrebuilt();
  if (prebuilt && !prebuilt.problem) {
    forgetProblem();
    return;
  }
  if (prebuilt) say(`${prebuilt.name} does not load here: ${prebuilt.problem}`);
  // Where libraries for this system are there, in half a minute; else llama.cpp as well, in minutes.
  const problem = await runBuild({ fromSource: isDependency && whyNotLinked() !== undefined });
  if (problem) noteProblem(problem);
  else forgetProblem();
}
