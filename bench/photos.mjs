// Photos per minute for a folder, three stages each, against the same prompts and model files run through
// @fugood/llama.node in the same run. `node bench/photos.mjs [--rounds 3] [--models tiny,300m]`
// after `npm run build` and `npm ci --prefix bench --ignore-scripts`, or `npm run bench -- photos`.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { openCropper } from '../dist/src/index.js';
import { machineNow, median, photosOf, writeResults } from './measuring.mjs';
import { MODELS, writeModel } from './models.mjs';
import { openPeer, runPeerPhoto } from './peer.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    models: { type: 'string', default: 'tiny,300m' },
    parallel: { type: 'string', default: '1' },
    warmup: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const nThreads = Number(values.threads);
const allPhotos = photosOf();
const machine = machineNow();
const rows = [];
for (const name of values.models.split(',')) rows.push(await benchModel(name, MODELS[name]));
writeResults('photos', { ...machine(), nThreads, rows });

async function benchModel(name, { maxPixels, prompts, nPhotos, ...defaults }) {
  const rounds = Number(values.rounds ?? defaults.rounds);
  const warmup = Number(values.warmup ?? defaults.warmup);
  const photos = allPhotos.slice(0, nPhotos);
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-bench-'));
  try {
    const { textPath, mmprojPath } = await writeModel(folder, name);
    const open = (threads) => openCropper({ model: folder, gpu: 'cpu', threads, parallel: Number(values.parallel) });
    const cropper = await open(nThreads);
    // The peer's prebuilt library computes on one core whatever it is told; so do we, beside it.
    const oneThread = await open(1);
    const conversations = await recordConversations(cropper, photos, folder);
    const peerOptions = { textPath, mmprojPath, nCtx: 8192, nThreads, imageMaxTokens: Math.ceil(maxPixels / 784) };
    const peers = {
      flash: await openPeer({ ...peerOptions, flashAttention: 'auto' }),
      plain: await openPeer({ ...peerOptions, flashAttention: 'off' }),
    };
    const peerRun = (peer, way) => async () => {
      const totals = { nPrefilled: 0, nSteps: 0 };
      for (const turns of conversations) {
        const { nPrefilled, nSteps } = await runPeerPhoto(peer, turns, way);
        totals.nPrefilled += nPrefilled;
        totals.nSteps += nSteps;
      }
      return totals;
    };
    const ways = {
      framewright: () => ourRun(cropper, photos),
      'framewright, 1 thread': () => ourRun(oneThread, photos),
      'peer, free': peerRun(peers.plain, 'free'),
      'peer, grammar': peerRun(peers.plain, 'grammar'),
      'peer, free, flash': peerRun(peers.flash, 'free'),
      'peer, grammar, flash': peerRun(peers.flash, 'grammar'),
    };
    for (let i = 0; i < warmup; i++) for (const run of Object.values(ways)) await run();
    const seconds = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
    const totals = {};
    for (let round = 0; round < rounds; round++) {
      for (const [way, run] of Object.entries(ways)) {
        const start = performance.now();
        const cpu = process.cpuUsage();
        const counted = await run();
        const wall = (performance.now() - start) / 1000;
        const { user, system } = process.cpuUsage(cpu);
        totals[way] = { ...counted, nCoresBusy: (user + system) / 1e6 / wall };
        seconds[way].push(wall);
      }
    }
    await peers.flash.release();
    await peers.plain.release();
    await cropper.dispose();
    await oneThread.dispose();
    return printRow(name, { prompts, nPhotos }, seconds, totals);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ourRun(cropper, photos) {
  const before = cropper.counters();
  const start = performance.now();
  for await (const _ of cropper.cropAll(photos)) void _;
  const wallMs = performance.now() - start;
  const after = cropper.counters();
  const nSteps = after.nDecodeCalls - before.nDecodeCalls;
  const nativeMs = after.decodeMs - before.decodeMs + after.encodeMs - before.encodeMs;
  return {
    nSteps,
    nTokens: after.nTokensDecoded - before.nTokensDecoded,
    nDecided: after.nDecided - before.nDecided,
    nForced: after.nForced - before.nForced,
    outsideShare: 1 - nativeMs / wallMs,
  };
}

/** What our model was told and shown and what it said, as the peer's turns. */
async function recordConversations(cropper, photos, folder) {
  const conversations = [];
  for (const photo of photos) {
    let parts;
    await cropper.crop(photo, { onConversation: (said) => (parts = said) });
    conversations.push(await turnsOf(parts, path.join(folder, String(conversations.length))));
  }
  return conversations;
}

async function turnsOf(parts, prefix) {
  const turns = [];
  let turn = { prompt: '', answer: '', nAnswerTokens: 0 };
  for (const part of parts) {
    if (part.kind === 'prompt') turn.prompt += part.text;
    if (part.kind === 'image') {
      const { rgb, frame } = part.image;
      turn.imageFile = `${prefix}-${turns.length}.png`;
      await sharp(rgb, { raw: { width: frame.width, height: frame.height, channels: 3 } })
        .png()
        .toFile(turn.imageFile);
      turn.prompt = `${turn.prompt.replace(/<\|vision_start\|>$/, '')}<__media__>`;
    }
    if (part.kind === 'answer') {
      turn.prompt = turn.prompt.replace('<__media__><|vision_end|>', '<__media__>');
      turns.push({ ...turn, answer: part.text, nAnswerTokens: part.nTokens });
      turn = { prompt: '', answer: '', nAnswerTokens: 0 };
    }
  }
  return turns;
}

function printRow(name, { prompts, nPhotos }, seconds, totals) {
  const perMinute = Object.fromEntries(
    Object.entries(seconds).map(([way, list]) => [way, (60 * nPhotos) / median(list)]),
  );
  const peerWays = Object.keys(seconds).filter((way) => way.startsWith('peer'));
  const best = Math.max(...peerWays.map((way) => perMinute[way]));
  // Pair by pair within a round, so that a drift of the machine's speed cancels.
  const ratiosOf = (way) => seconds[way].map((ours, i) => Math.min(...peerWays.map((peer) => seconds[peer][i])) / ours);
  const ratios = Object.fromEntries(['framewright', 'framewright, 1 thread'].map((way) => [way, ratiosOf(way)]));
  console.log(
    `\n${name}: photos per minute (median of ${seconds.framewright.length} rounds of ${nPhotos} photos, ${prompts} prompts)`,
  );
  for (const [way, rate] of Object.entries(perMinute)) {
    const { nSteps, nPrefilled, nTokens, nDecided, nForced, outsideShare, nCoresBusy } = totals[way];
    const per = (count) => Math.round(count / nPhotos);
    const detail =
      nPrefilled === undefined
        ? `${per(nSteps)} decode calls, ${per(nTokens)} tokens in them, ${per(nDecided)} tokens decided and ${per(nForced)} forced a photo; ${(100 * outsideShare).toFixed(1)} % of the time outside llama.cpp`
        : `${per(nSteps)} decode steps, ${per(nPrefilled)} tokens prefilled a photo`;
    console.log(`  ${way.padEnd(22)} ${rate.toFixed(1).padStart(7)}   ${nCoresBusy.toFixed(1)} cores busy; ${detail}`);
  }
  for (const [way, list] of Object.entries(ratios)) {
    const rounds = list.map((ratio) => ratio.toFixed(2)).join(', ');
    console.log(`  ${way}: ${(perMinute[way] / best).toFixed(2)} times the fastest peer (by round: ${rounds})`);
  }
  return { model: name, prompts, nPhotos, seconds, perMinute, ratios, totals };
}
