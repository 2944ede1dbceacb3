// npm run build:native -- [options]
import { parseArgs } from 'node:util';
import { forgetProblem, runBuild } from './run-build.mjs';

const USAGE = `Usage: npm run build:native -- [options]

Compiles the native addon. Without options: libmtmd and the addon only, linked to the prebuilt llama.cpp of the platform
package, as npm install does.

  --from-source         compile llama.cpp as well, for this machine's CPU; the result is used instead of the default build
  --cuda                with NVIDIA GPUs (needs the CUDA toolkit with cuBLAS)
  --vulkan              with Vulkan (needs its headers, glslc and SPIRV-Headers)
  --metal               with Apple GPUs; the default of a source build on a Mac
  --portable            for other machines too: any x86-64 CPU with AVX2, any 64-bit ARM
  --define NAME=VALUE   a CMake variable of llama.cpp, e.g. CMAKE_CUDA_ARCHITECTURES=89; may be repeated
  --jobs N              files to compile at once
  --clean               start afresh
`;

const flag = { type: 'boolean', default: false };
const options = {
  'from-source': flag,
  cuda: flag,
  vulkan: flag,
  metal: flag,
  portable: flag,
  define: { type: 'string', multiple: true, default: [] },
  jobs: { type: 'string' },
  clean: flag,
  help: { ...flag, short: 'h' },
};

function readArguments() {
  const { values } = parseArgs({ options });
  const gpus = ['cuda', 'vulkan', 'metal'].filter((name) => values[name]);
  const defines = values.define.map((text) => /^([A-Za-z_]\w*)=(.*)$/.exec(text)?.slice(1) ?? text);
  const wrong = defines.find((define) => typeof define === 'string');
  if (wrong) throw new Error(`--define ${wrong}: expected NAME=VALUE`);
  if (values.jobs !== undefined && !/^[1-9]\d*$/.test(values.jobs))
    throw new Error(`--jobs ${values.jobs}: expected a number`);
  if (gpus.length > 1) throw new Error(`choose one of ${gpus.map((name) => `--${name}`).join(' and ')}`);
  const fromSource = values['from-source'];
  if (!fromSource && (gpus.length > 0 || values.portable || defines.length > 0))
    throw new Error('--cuda, --vulkan, --metal, --portable and --define go with --from-source');
  return {
    help: values.help,
    fromSource,
    clean: values.clean,
    jobs: values.jobs === undefined ? undefined : Number(values.jobs),
    ...(fromSource && { gpu: gpus[0], portable: values.portable, defines: Object.fromEntries(defines) }),
  };
}

let request;
try {
  request = readArguments();
} catch (error) {
  console.error(`framewright: ${error.message}\n\n${USAGE}`);
  process.exit(2);
}
if (request.help) process.stdout.write(USAGE);
else if (await runBuild(request)) process.exitCode = 1;
else forgetProblem();
