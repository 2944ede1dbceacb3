// What a call of llama_decode costs by how many tokens it carries: CPU time of the language model's thread and of
// JavaScript's, and time on the clock, a call. Says whether fewer calls of more tokens would pay.
// `node bench/calls.mjs [--models nano,300m] [--tokens 1,2,4,8,16] [--calls 40]` after `npm run build`; Linux.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openVlm } from '../dist/src/vlm/open.js';
import { machineNow, median, round, writeResults } from './measuring.mjs';
import { writeModel } from './models.mjs';
import { threadTimes } from './thread-times.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'nano,300m' },
    tokens: { type: 'string', default: '1,2,4,8,16' },
    calls: { type: 'string', default: '40' },
  },
});
/** A photo's conversation is about as long before its candidates. */
const N_BEFORE = 150;
/** To look at the threads' times costs as much as a call. */
const CALLS_A_LOOK = 8;

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-calls-'));
const machine = machineNow();
const rows = [];
try {
  for (const name of values.models.split(',')) {
    const model = name === 'nano' ? name : path.join(folder, name);
    if (name !== 'nano') await writeModel(model, name);
    const vlm = await openVlm({ model, gpu: 'cpu', threads: 1 });
    try {
      rows.push(...(await measure(name, vlm)));
    } finally {
      await vlm.dispose();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeResults('calls', { ...machine(), rows });

async function measure(model, { contexts, engine }) {
  const counts = values.tokens.split(',').map(Number);
  const session = contexts.idlest.session();
  const [token] = engine.model.tokenize('a');
  await session.append(new Int32Array(N_BEFORE).fill(token));
  const mark = session.mark();
  const costs = new Map(counts.map((n) => [n, []]));
  // In turns, so that a machine that grows slower or faster favours none; choices are asked for, as answers do.
  for (let i = 0; i < Number(values.calls); i += CALLS_A_LOOK)
    for (const n of counts) {
      const tokens = new Int32Array(n).fill(token);
      const choices = Int32Array.of(token, token + 1);
      const [before, start] = [threadTimes(), performance.now()];
      for (let k = 0; k < CALLS_A_LOOK; k++) await session.append(tokens, { choices });
      const [after, end] = [threadTimes(), performance.now()];
      costs.get(n).push({
        language: (after.language - before.language) / CALLS_A_LOOK,
        script: (after.script - before.script) / CALLS_A_LOOK,
        wall: (end - start) / CALLS_A_LOOK,
      });
      await session.rollback(mark);
    }
  await session.dispose();
  return counts.map((nTokens) => {
    const each = (part) => round(median(costs.get(nTokens).map((cost) => cost[part])), 3);
    const row = { model, nTokens, languageMs: each('language'), scriptMs: each('script'), wallMs: each('wall') };
    console.log(
      `${model.padEnd(5)} ${String(nTokens).padStart(3)} tokens: ${row.languageMs} ms of CPU a call, ${round(row.languageMs / nTokens, 3)} a token; JavaScript ${row.scriptMs} ms; ${row.wallMs} ms on the clock`,
    );
    return row;
  });
}
