import { GgufError, validatePair } from '../../gguf/index.js';
import { FramewrightError } from '../../src/base/errors.js';
import type { VisionModel } from '../../src/runtime/model.js';
import type { Runtime } from '../../src/runtime/runtime.js';

/** How far a pair came. Anything else, an untyped error first, is thrown. */
export type Verdict =
  | { readonly kind: 'refused'; readonly code: string } // validation has found problems
  | { readonly kind: 'failed'; readonly code: string; readonly stage: string; readonly message: string } // native code gave a typed error
  | { readonly kind: 'works' }; // it loaded, encoded an image and decoded

/** Ways to run a pair that take other paths through llama.cpp. */
export interface Manner {
  readonly flashAttention: boolean;
  /** Image tokens; the windows of a Qwen2.5-VL are 4 wide. */
  readonly image: { readonly columns: number; readonly rows: number };
}

/** What a user's program would do with a pair of files: validate, load, show an image, ask, let it answer. */
export async function judgePair(
  runtime: Runtime,
  textPath: string,
  mmprojPath: string,
  manner: Manner,
): Promise<Verdict> {
  try {
    const [problem] = await validatePair(textPath, mmprojPath);
    if (problem) return { kind: 'refused', code: problem.code };
  } catch (error) {
    if (error instanceof GgufError) return { kind: 'refused', code: error.code };
    throw error;
  }
  let stage = 'load';
  try {
    await using model = await runtime.loadModel({
      path: textPath,
      mmprojPath,
      threads: 1,
      imageMaxTokens: 64,
      flashAttention: manner.flashAttention,
    });
    await askAboutImage(model, manner, (next) => (stage = next));
    return { kind: 'works' };
  } catch (error) {
    if (error instanceof FramewrightError && error.code !== 'INTERNAL') {
      return { kind: 'failed', code: error.code, stage, message: error.message };
    }
    throw new Error(`untyped error while ${stage}: ${String(error)}`, { cause: error });
  }
}

async function askAboutImage(
  model: VisionModel,
  { image: { columns, rows }, flashAttention }: Manner,
  enter: (stage: string) => void,
): Promise<void> {
  enter('image');
  const size = { width: columns * model.cellPx, height: rows * model.cellPx };
  const rgb = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => (i * 2654435761) >>> 24);
  using image = await model.encodeImage(rgb, size);
  enter('context');
  await using context = await model.createContext({ nCtx: 512, nSeqMax: 4, nBatch: 128, flashAttention });
  enter('decode');
  const session = context.session();
  await session.append(model.tokenize('<|im_start|>user\n<|vision_start|>', { special: true }));
  await session.appendImage(image);
  const question = model.tokenize('<|vision_end|>Where? 12, 345.<|im_end|>\n<|im_start|>assistant\n', {
    special: true,
  });
  const { logProbs } = await session.append(question, { choices: Int32Array.of(0, 1, 2) });
  if (!logProbs.every(Number.isFinite)) throw new Error(`log-probabilities ${logProbs.join(', ')}`);
  enter('generate');
  await session.generate({ maxTokens: 4 });
  await session.generate({ grammar: 'root ::= "[" [0-9]+ ", " [0-9]+ "]"', maxTokens: 8 });
  await session.generate({ maxTokens: 4, temperature: 1, seed: 1 });
  model.detokenize(question);
}
