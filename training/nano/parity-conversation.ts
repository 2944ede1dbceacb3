// Writes the conversation test/train/parity.test.ts plays: two frames of a drawn scene as PNG and conversation.json.
//   node dist/training/nano/parity-conversation.js test/fixtures/nano
import { cellPxOf, FAMILIES } from '../../gguf/index.js';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { chooseFrame, frameMap } from '../../src/photo/frame.js';
import { positionRamps } from '../../src/photo/ramps.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import { enhance } from '../../src/vlm/enhance/enhance.js';
import { canonicalElements } from '../../src/train/canonical-elements.js';
import { reasonFor } from '../../src/train/targets/reason.js';
import { recordConversation } from '../../src/train/record.js';
import { vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { drawScene } from '../scenes/scene.js';
import { NANO_USE } from './nano-use.js';
import { nanoTokenizer } from './vocabulary.js';

const folder = process.argv[2];
if (!folder) throw new Error('name the folder to write to');
await mkdir(folder, { recursive: true });

const profile = await loadPromptProfile(NANO_USE.promptProfile);
const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
const tokenizer = vocabularyTokenizer(buildVocabulary(nanoTokenizer(phrases)));
const tokens = new AnswerTokens(tokenizer);

const scene = await drawScene({ seed: 5 });
const frame = chooseFrame(scene.size, {
  minPixels: NANO_USE.pixelBudget.min,
  maxPixels: NANO_USE.pixelBudget.max,
  cellPx: cellPxOf(FAMILIES.qwen2vl),
});
const rgb = Uint8Array.from(
  await sharp(scene.data, { raw: { ...scene.size, channels: 3 } })
    .resize(frame.width, frame.height, { fit: 'fill' })
    .raw()
    .toBuffer(),
);
const map = frameMap(scene.size, frame);
const elements = await canonicalElements(
  scene.elements.map((element) => map.toFrame.element(element)),
  frame,
  tokens,
);
const { width, height } = frame;
const candidates = [[10, 5, width - 30, height - 4] as const, [0, 20, width - 60, height] as const].map((box) => ({
  boxInFrame: box,
  why: reasonFor(box, frame, elements),
}));
const record = await recordConversation(
  {
    frame,
    elements,
    request: { count: 2, limits: { frame, minSize: 0.25 } },
    candidates,
    preference: [0.6, 0.4],
    why: candidates[0]!.why,
  },
  { tokenizer, tokens, profile },
);
const enhanced = await enhance({ frame, rgb }, elements, NANO_USE);
for (const [name, pixels] of [
  ['photo.png', rgb],
  ['enhanced.png', enhanced],
] as const) {
  const seen = positionRamps(pixels, frame, FAMILIES.qwen2vl.patchPx);
  await sharp(seen, { raw: { ...frame, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toFile(join(folder, name));
}
const at = record.labels.map((label) => label.at);
const conversation = { frames: ['photo.png', 'enhanced.png'], tokens: record.tokens, at };
await writeFile(join(folder, 'conversation.json'), `${JSON.stringify(conversation)}\n`);
