// Turns what export_weights.py wrote into the GGUF pair and its manifest. Run `npm run build` first.
//   node dist/training/nano/write-model.js --weights run/export --out gguf/nano [--text-type Q8_0] [--vision-type F16] [--notes notes.json]
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeTensor, type EncodableType } from '../../gguf/encode-tensor.js';
import { tokenizerMetadata } from '../../gguf/tokenizer.js';
import { textMetadata, visionMetadata } from '../../gguf/toy.js';
import { GGML_TYPES, countElements } from '../../gguf/types.js';
import { f32, i32s, str } from '../../gguf/values.js';
import { writeGguf, type TensorToWrite } from '../../gguf/writer.js';
import { manifestSchema, type ModelUse } from '../../src/model/manifest.js';
import { NANO_USE } from './nano-use.js';

interface Weights {
  readonly shape: {
    readonly n_vocab: number;
    readonly vision: Readonly<Record<'n_embd' | 'n_layer' | 'n_head' | 'n_ff' | 'eps', number>>;
    readonly text: Readonly<Record<'n_embd' | 'n_layer' | 'n_head' | 'n_head_kv' | 'n_ff' | 'rope_base', number>>;
  };
  readonly sections: readonly number[];
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly offset: number }>>;
  readonly vocabulary: readonly string[];
  readonly types: readonly number[];
  readonly use: ModelUse;
  readonly promptVersion: string;
  readonly trained: object;
}

const { values } = parseArgs({
  options: {
    weights: { type: 'string' },
    out: { type: 'string' },
    'text-type': { type: 'string', default: 'Q8_0' },
    'vision-type': { type: 'string', default: 'F16' },
    notes: { type: 'string' },
  },
});
if (!values.weights || !values.out) throw new Error('--weights and --out are needed');
const out = values.out;
const about = JSON.parse(await readFile(join(values.weights, 'weights.json'), 'utf8')) as Weights;
const data = await readFile(join(values.weights, 'weights.f32'));
const { vision, text } = about.shape;
const name = 'Framewright nano';

const isVision = (tensor: string): boolean => tensor.startsWith('v.') || tensor.startsWith('mm.');
const textType = values['text-type'] as 'F32' | 'F16' | 'Q8_0';
const visionType = values['vision-type'] as 'F32' | 'F16' | 'Q8_0';
const tensors = Object.keys(about.tensors);

await mkdir(out, { recursive: true });
const files = { text: 'nano.gguf', mmproj: 'nano-mmproj.gguf' };
await writeGguf(join(out, files.text), {
  metadata: new Map([
    ...textMetadata(
      {
        nEmbd: text.n_embd,
        nLayer: text.n_layer,
        nHead: text.n_head,
        nHeadKv: text.n_head_kv,
        nFf: text.n_ff,
        nCtx: NANO_USE.contextCells,
        tied: false,
      },
      textType,
    ),
    ['general.name', str(name)],
    ['qwen2vl.rope.freq_base', f32(text.rope_base)],
    ['qwen2vl.rope.dimension_sections', i32s([...about.sections, 0])],
    ...tokenizerMetadata({ tokens: about.vocabulary, types: about.types }),
  ]),
  tensors: tensors.filter((tensor) => !isVision(tensor)).map((tensor) => encoded(tensor, textType)),
});
await writeGguf(join(out, files.mmproj), {
  metadata: new Map([
    ...visionMetadata(
      {
        nEmbd: vision.n_embd,
        nLayer: vision.n_layer,
        nHead: vision.n_head,
        nFf: vision.n_ff,
        nWaPattern: 0,
        imageSizePx: 560,
      },
      text.n_embd,
      visionType,
    ),
    ['general.name', str(`${name} vision`)],
    ['clip.vision.attention.layer_norm_epsilon', f32(vision.eps)],
  ]),
  tensors: tensors.filter(isVision).map((tensor) => encoded(tensor, visionType)),
});

const notes = values.notes ? (JSON.parse(await readFile(values.notes, 'utf8')) as Record<string, unknown>) : {};
const manifest = manifestSchema.parse({
  schemaVersion: 1,
  name: 'nano',
  licence: 'MIT',
  trained: true,
  files: { text: await describe(files.text), mmproj: await describe(files.mmproj) },
  ...about.use,
  contextCells: NANO_USE.contextCells,
  placeEdges: NANO_USE.placeEdges,
  notes: { promptVersion: about.promptVersion, training: about.trained, ...notes },
});
await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);

/** Norms and biases stay F32; a matrix that cannot be cut into blocks and the patch convolution stay F16. */
function encoded(tensor: string, wanted: 'F32' | 'F16' | 'Q8_0'): TensorToWrite {
  const { shape, offset } = about.tensors[tensor]!;
  const block = GGML_TYPES[wanted].blockSize;
  const type: EncodableType =
    shape.length < 2
      ? 'F32'
      : shape.length > 2 || shape[0]! % block !== 0
        ? wanted === 'F32'
          ? 'F32'
          : 'F16'
        : wanted;
  const bytes = data.subarray(offset, offset + 4 * countElements(shape));
  const floats = new Float32Array(Uint8Array.from(bytes).buffer);
  return { name: tensor, type, shape, data: encodeTensor(type, floats) };
}

async function describe(file: string): Promise<{ name: string; bytes: number; sha256: string }> {
  await using handle = await open(join(out, file));
  const bytes = await handle.readFile();
  return { name: file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
