// The same three stages with the same model files through @fugood/llama.node, the way a Node program would run them:
// each stage is a completion over the growing conversation, whose KV cache it keeps where it can.
import { loadModel, toggleNativeLog } from '@fugood/llama.node';

/**
 * @param {{ textPath: string, mmprojPath: string, nCtx: number, nThreads: number, imageMaxTokens: number,
 *   flashAttention: 'auto' | 'off' }} options
 */
export async function openPeer({ textPath, mmprojPath, nCtx, nThreads, imageMaxTokens, flashAttention }) {
  await toggleNativeLog(false);
  const context = await quietly(() =>
    loadModel({
      model: textPath,
      n_ctx: nCtx,
      n_batch: nCtx,
      n_gpu_layers: 0,
      n_threads: nThreads,
      flash_attn_type: flashAttention,
    }),
  );
  await quietly(() => context.initMultimodal({ path: mmprojPath, use_gpu: false, image_max_tokens: imageMaxTokens }));
  return context;
}

/**
 * One photo. Two ways to have the peer say as much as our model said: `free` samples as many tokens as our answer has
 * (no grammar to pay for, but its own words differ, so the answer is prefilled again in the next stage); `grammar` holds
 * it to our answer's text (it pays for the grammar, and its cache holds the answer).
 *
 * @param {import('@fugood/llama.node').LlamaContext} context
 * @param {readonly Turn[]} turns
 * @param {'free' | 'grammar'} way
 * @returns {Promise<{ nPrefilled: number, nSteps: number }>}
 *
 * @typedef {{ prompt: string, imageFile?: string, answer: string, nAnswerTokens: number }} Turn
 */
export async function runPeerPhoto(context, turns, way) {
  let conversation = '';
  const images = [];
  let nPrefilled = 0;
  let nSteps = 0;
  for (const { prompt, imageFile, answer, nAnswerTokens } of turns) {
    conversation += prompt;
    if (imageFile) images.push(imageFile);
    const { timings } = await context.completion({
      prompt: conversation,
      ...(images.length > 0 ? { media_paths: images } : {}),
      n_predict: way === 'free' ? nAnswerTokens : nAnswerTokens + 8,
      temperature: 0,
      ...(way === 'free' ? { ignore_eos: true } : { grammar: `root ::= ${JSON.stringify(answer)}` }),
    });
    nPrefilled += timings.prompt_n;
    nSteps += timings.predicted_n;
    conversation += answer;
  }
  return { nPrefilled, nSteps };
}

/** The peer's own console lines would mix with our table. */
async function quietly(work) {
  const { log, info } = console;
  console.log = console.info = () => {};
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info });
  }
}
