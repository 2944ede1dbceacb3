import {
  FAMILIES,
  QWEN2VL_SHAPES,
  QWEN35_SHAPES,
  QWEN3VLMOE_SHAPES,
  QWEN3VL_SHAPES,
  countTextValues,
  type FamilyName,
  type TextShape,
  type VisionShape,
} from '../../gguf/index.js';
import { DEFAULT_USE, defaultUse, type ModelUse } from './manifest.js';

/** One file of a model: on this machine, or to be downloaded. */
export interface ModelFile {
  /** Its name on this machine. */
  readonly name: string;
  readonly from: { readonly path: string } | { readonly url: string };
  /** Below the models folder, where it is pulled to; absent for the entry's own. */
  readonly folder?: string;
  /** Exact size; absent where nobody published it. */
  readonly bytes?: number;
  /** Size to plan and to show with where the exact one is unknown. */
  readonly aboutBytes?: number;
  /** Hex; absent where nobody published it: then it is noted when the file is pulled. */
  readonly sha256?: string;
}

/** A quantisation of a model, with the vision file and adapters it is used with. */
export interface ModelVariant {
  readonly name: string;
  readonly text: ModelFile;
  readonly mmproj: ModelFile;
  readonly loras: readonly { readonly file: ModelFile; readonly scale: number }[];
}

/** What a model's config.json says. */
export interface ModelSizes {
  readonly family: FamilyName;
  readonly text: TextShape & { readonly nVocab: number };
  readonly vision: VisionShape;
}

/** A model the catalogue knows by name. */
export interface CatalogEntry {
  readonly name: string;
  readonly licence: string;
  /** Where it comes from: a page for people, or the catalogue file that adds it. */
  readonly source: string;
  readonly use: ModelUse;
  /** As of a `ResolvedModel`. */
  readonly isBudgetGuessed?: true;
  /** To plan with before anything is downloaded; absent where nobody said. */
  readonly sizes?: ModelSizes;
  /** The first one is meant by the bare name. */
  readonly variants: readonly [ModelVariant, ...ModelVariant[]];
}

interface PublishedFile {
  readonly repository: string;
  /** The commit its size and sha256 are of. Default `main`. */
  readonly revision?: string;
  readonly name: string;
  readonly bytes?: number;
  readonly aboutBytes?: number;
  readonly sha256?: string;
}

/** Hugging Face's own form of a file's address; `FRAMEWRIGHT_MODEL_BASE_URL` replaces the host. */
function published({ repository, revision = 'main', name, ...facts }: PublishedFile): ModelFile {
  return { name, from: { url: `https://huggingface.co/${repository}/resolve/${revision}/${name}` }, ...facts };
}

function variant(name: string, text: PublishedFile, mmproj: PublishedFile): ModelVariant {
  return { name, text: published(text), mmproj: published(mmproj), loras: [] };
}

const QWEN_7B = 'ggml-org/Qwen2.5-VL-7B-Instruct-GGUF';
const QWEN_3B = 'ggml-org/Qwen2.5-VL-3B-Instruct-GGUF';

/** Qwen2.5-VL-7B-Instruct and -3B-Instruct, config.json. */
const SIZES_7B: ModelSizes = {
  family: 'qwen2vl',
  text: { ...QWEN2VL_SHAPES['7b'].text, nVocab: 152_064 },
  vision: QWEN2VL_SHAPES['7b'].vision,
};
const SIZES_3B: ModelSizes = {
  family: 'qwen2vl',
  text: { nEmbd: 2048, nLayer: 36, nHead: 16, nHeadKv: 2, nFf: 11_008, nCtx: 128_000, tied: true, nVocab: 151_936 },
  vision: QWEN2VL_SHAPES['7b'].vision,
};

/** Grounding suffers from a coarser vision file than Q8_0, which costs little beside the text model. */
const MMPROJ_7B_Q8: PublishedFile = {
  repository: QWEN_7B,
  name: 'mmproj-Qwen2.5-VL-7B-Instruct-Q8_0.gguf',
  bytes: 853_119_712,
  sha256: '2ddb555391bae966e412deab9e07b58afa18bcc06930ba0f1c78a3695ab9e506',
};
const MMPROJ_3B_Q8: PublishedFile = {
  repository: QWEN_3B,
  name: 'mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf',
  bytes: 844_757_728,
  sha256: '980c9b2f78c04e6cff93d277ada09e768394f112d75db3b4e9dea8a69f9fb904',
};

const QWEN3VL_USE = defaultUse(FAMILIES.qwen3vl);

/** Qwen3-VL-Instruct as its makers publish it, at the commits that several other projects pin. */
function qwen3vl(
  size: '2b' | '4b' | '8b' | '30b-a3b',
  revision: string,
  text: Pick<PublishedFile, 'bytes' | 'sha256'>,
  mmproj: Pick<PublishedFile, 'bytes' | 'sha256'> & { readonly type: 'Q8_0' | 'F16' },
): CatalogEntry {
  const name = `Qwen3-VL-${size.toUpperCase()}-Instruct`;
  const repository = `Qwen/${name}-GGUF`;
  const stem = name.replace('3-', '3');
  const at = { repository, revision };
  const { type, ...facts } = mmproj;
  const vision = { ...at, name: `mmproj-${stem}-${type}.gguf`, ...facts };
  const family = size === '30b-a3b' ? 'qwen3vlmoe' : 'qwen3vl';
  const { tokenizer, ...shape } = size === '30b-a3b' ? QWEN3VLMOE_SHAPES['30b'] : QWEN3VL_SHAPES[size];
  const nVocab = tokenizer.vocabSize;
  const aboutBytes = (perValue: number): number => Math.round(perValue * countTextValues(shape.text, nVocab));
  return {
    name: `qwen3-vl-${size}`,
    licence: 'Apache-2.0',
    source: `https://huggingface.co/${repository}`,
    use: QWEN3VL_USE,
    sizes: { family, text: { ...shape.text, nVocab }, vision: shape.vision },
    variants: [
      variant('Q4_K_M', { ...at, name: `${stem}-Q4_K_M.gguf`, ...text }, vision),
      variant('Q8_0', { ...at, name: `${stem}-Q8_0.gguf`, aboutBytes: aboutBytes(34 / 32) }, vision),
      variant('F16', { ...at, name: `${stem}-F16.gguf`, aboutBytes: aboutBytes(2) }, vision),
    ],
  };
}

const QWEN35_USE = defaultUse(FAMILIES.qwen35);

/** Qwen3.5 as unsloth publishes it (its makers publish no GGUF), with its vision file in F16: there is no smaller one. */
function qwen35(
  size: '0.8b' | '2b' | '4b' | '9b',
  revision: string,
  [q4, q8, mmproj]: readonly Required<Pick<PublishedFile, 'bytes' | 'sha256'>>[],
): CatalogEntry {
  const name = `Qwen3.5-${size.toUpperCase()}`;
  const repository = `unsloth/${name}-GGUF`;
  const at = { repository, revision };
  const vision = { ...at, name: 'mmproj-F16.gguf', ...mmproj };
  const { tokenizer, ...shape } = QWEN35_SHAPES[size];
  return {
    name: `qwen3.5-${size}`,
    licence: 'Apache-2.0',
    source: `https://huggingface.co/${repository}`,
    use: QWEN35_USE,
    sizes: { family: 'qwen35', text: { ...shape.text, nVocab: tokenizer.vocabSize }, vision: shape.vision },
    variants: [
      variant('Q4_K_M', { ...at, name: `${name}-Q4_K_M.gguf`, ...q4 }, vision),
      variant('Q8_0', { ...at, name: `${name}-Q8_0.gguf`, ...q8 }, vision),
    ],
  };
}

/**
 * Models to download. Exact sizes and sha256 are those several other projects pin for the same files (2026-11); where
 * there are none, pulling takes the server's word and notes it. ggml-org has no Q6_K; that is unsloth's, of the same
 * weights. The exact sizes of Qwen3.5's files are what its shapes come to, and a header.
 */
export const CATALOG: readonly CatalogEntry[] = [
  {
    name: 'qwen2.5-vl-7b',
    licence: 'Apache-2.0',
    source: `https://huggingface.co/${QWEN_7B}`,
    use: DEFAULT_USE,
    sizes: SIZES_7B,
    variants: [
      variant(
        'Q4_K_M',
        {
          repository: QWEN_7B,
          name: 'Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf',
          bytes: 4_683_072_032,
          sha256: '9258bf05b12686d097ff3b6b18d968ab393649780aa2b3cd67fec43d50554392',
        },
        MMPROJ_7B_Q8,
      ),
      variant(
        'Q6_K',
        {
          repository: 'unsloth/Qwen2.5-VL-7B-Instruct-GGUF',
          name: 'Qwen2.5-VL-7B-Instruct-Q6_K.gguf',
          aboutBytes: 6_254_000_000,
        },
        MMPROJ_7B_Q8,
      ),
      variant(
        'Q8_0',
        { repository: QWEN_7B, name: 'Qwen2.5-VL-7B-Instruct-Q8_0.gguf', aboutBytes: 8_099_000_000 },
        MMPROJ_7B_Q8,
      ),
      variant(
        'F16',
        { repository: QWEN_7B, name: 'Qwen2.5-VL-7B-Instruct-f16.gguf', aboutBytes: 15_238_000_000 },
        {
          repository: QWEN_7B,
          name: 'mmproj-Qwen2.5-VL-7B-Instruct-f16.gguf',
          bytes: 1_354_162_912,
          sha256: 'c24a7f5fcfc68286f0a217023b6738e73bea4f11787a43e8238d4bb1b8604cde',
        },
      ),
    ],
  },
  {
    name: 'qwen2.5-vl-3b',
    licence: 'Qwen Research License (no commercial use)',
    source: `https://huggingface.co/${QWEN_3B}`,
    use: DEFAULT_USE,
    sizes: SIZES_3B,
    variants: [
      variant(
        'Q4_K_M',
        {
          repository: QWEN_3B,
          name: 'Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf',
          bytes: 1_929_901_056,
          sha256: 'd02fe9b69ad8cadbbd228e387667af66612c44bed29ffc8eb1e7caf9ac486c12',
        },
        MMPROJ_3B_Q8,
      ),
      variant(
        'Q6_K',
        {
          repository: 'unsloth/Qwen2.5-VL-3B-Instruct-GGUF',
          name: 'Qwen2.5-VL-3B-Instruct-Q6_K.gguf',
          aboutBytes: 2_538_000_000,
        },
        MMPROJ_3B_Q8,
      ),
      variant(
        'Q8_0',
        {
          repository: QWEN_3B,
          name: 'Qwen2.5-VL-3B-Instruct-Q8_0.gguf',
          bytes: 3_285_474_304,
          sha256: 'fa8aeb3b6bf6152774e87d13e09892aa065f4e0c4abe90806cd8ab18ff72d9fe',
        },
        MMPROJ_3B_Q8,
      ),
      variant(
        'F16',
        { repository: QWEN_3B, name: 'Qwen2.5-VL-3B-Instruct-f16.gguf', aboutBytes: 6_178_000_000 },
        {
          repository: QWEN_3B,
          name: 'mmproj-Qwen2.5-VL-3B-Instruct-f16.gguf',
          bytes: 1_338_428_128,
          sha256: 'b9160fe9d814d1fadf68395677468534778b39ac33c2e7561b7b218626e60d5e',
        },
      ),
    ],
  },
  qwen3vl(
    '30b-a3b',
    'f54435e6cc31258f04b0969105c3f6badb197931',
    { bytes: 18_556_687_168, sha256: '87bb374d849f80ebdfabb304189fac9e0bd35a0f74506e6a59c51b206cbe863b' },
    { type: 'F16', bytes: 1_083_499_584, sha256: 'cae72cf123cc9e08d553cd5a5055d6d3cf0f82652aa41c3e4aa424cda9a26f7f' },
  ),
  qwen3vl(
    '8b',
    'f982a07559d4a2f6c8744d840bf6fccab30eea96',
    { bytes: 5_027_784_800, sha256: '67d1659bfe71b89d50b45a4ad1a9e5b997e5bb16ce5da66a6a6167abd569e9e2' },
    { type: 'Q8_0', bytes: 752_289_728, sha256: 'c6ba85508d82f42590e6eb77d5340369ab6fecf107a7561d809523d8aa5f3bfd' },
  ),
  qwen3vl(
    '4b',
    '1cd86afb9a95c410a6038ab3b40d8b578c892266',
    { bytes: 2_497_281_664, sha256: '66358cb18bb6b3b1b6675aa412c7a88ef01d228f481184d13668e5201c730a0a' },
    { type: 'Q8_0', bytes: 453_974_304, sha256: '30ba2c7dd3127a4561b6cba9d13d0f711c91bdb38742e2f56d73c8cb596bd06d' },
  ),
  qwen3vl(
    '2b',
    '52d6c8ffea26cc873ac5ad116f8631268d7eb503',
    { bytes: 1_107_409_952, sha256: '089d75c52f4b7ffc56ba998ffc50aae89fcafc755f9e7208aacca281dca6c2ae' },
    { type: 'Q8_0', bytes: 445_053_216, sha256: 'f9a68fabba69c3b81e153367b2c7521030b0fa8bb0de400c9599c8e6725f9c82' },
  ),
  qwen35('9b', '3885219b6810b007914f3a7950a8d1b469d598a5', [
    { bytes: 5_680_522_464, sha256: '03b74727a860a56338e042c4420bb3f04b2fec5734175f4cb9fa853daf52b7e8' },
    { bytes: 9_527_502_048, sha256: '809626574d0cb43d4becfa56169980da2bb448f2299270f7be443cb89d0a6ae4' },
    { bytes: 918_166_080, sha256: 'f70dc3509053962b0d0d3ee8a7eacebf5d60aa560cad78254ae8698516ae029f' },
  ]),
  qwen35('4b', 'e87f176479d0855a907a41277aca2f8ee7a09523', [
    { bytes: 2_740_937_888, sha256: '00fe7986ff5f6b463e62455821146049db6f9313603938a70800d1fb69ef11a4' },
    { bytes: 4_482_403_488, sha256: '10cc391b403021dd11c614679d2fd92f611c3681d29e29651b717316965d61e1' },
    { bytes: 672_423_616, sha256: 'cd88edcf8d031894960bb0c9c5b9b7e1fea6ebee02b9f7ce925a00d12891f864' },
  ]),
  qwen35('2b', 'f6d5376be1edb4d416d56da11e5397a961aca8ae', [
    { bytes: 1_280_835_840, sha256: 'aaf42c8b7c3cab2bf3d69c355048d4a0ee9973d48f16c731c0520ee914699223' },
    { bytes: 2_012_012_800, sha256: '1b04acba824817554f4ce23639bc8495ff70453b8fcb047900c731521021f2c1' },
    { bytes: 668_227_264, sha256: '7035e9cb8d7c6a9681d07eef9a364783e86ea4cd73faab2eabb4f43a101830c7' },
  ]),
  qwen35('0.8b', '6ab461498e2023f6e3c1baea90a8f0fe38ab64d0', [
    { bytes: 532_517_120, sha256: 'bd258782e35f7f458f8aced1adc053e6e92e89bc735ba3be89d38a06121dc517' },
    { bytes: 811_843_840, sha256: '0ad885ffd4bb022fc4f0d33a3308fa108ef8613159d3b3a67e23abca056b7a6c' },
    { bytes: 204_987_232, sha256: '56e4c6cfe73b0c82e3e82bc518d7591997e61d81f723fc41a586f4fa69ea2453' },
  ]),
];

/** Bytes of all files of a variant, as well as they are known. */
export function variantBytes({ text, mmproj, loras }: ModelVariant): number {
  const files = [text, mmproj, ...loras.map(({ file }) => file)];
  return files.reduce((sum, { bytes, aboutBytes }) => sum + (bytes ?? aboutBytes ?? 0), 0);
}

/**
 * `name` or `name:variant` among the entries, upper or lower case; undefined if no entry has that name, and a
 * `variant` of undefined if the entry has none of that name.
 */
export function findInCatalog(
  entries: readonly CatalogEntry[],
  wanted: string,
): { readonly entry: CatalogEntry; readonly variant: ModelVariant | undefined } | undefined {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const colon = wanted.lastIndexOf(':');
  const whole = entries.find(({ name }) => same(name, wanted));
  if (whole) return { entry: whole, variant: whole.variants[0] };
  const entry = colon > 0 ? entries.find(({ name }) => same(name, wanted.slice(0, colon))) : undefined;
  return entry && { entry, variant: entry.variants.find(({ name }) => same(name, wanted.slice(colon + 1))) };
}
