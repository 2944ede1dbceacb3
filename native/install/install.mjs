// npm's install script. FRAMEWRIGHT_BUILD=source compiles llama.cpp as well; FRAMEWRIGHT_BUILD=none compiles nothing.
import { runBuild } from './run-build.mjs';

const choice = process.env.FRAMEWRIGHT_BUILD || 'default';
if (choice !== 'none') await runBuild({ fromSource: choice === 'source' });
