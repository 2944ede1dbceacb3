import { GgufError } from './errors.js';
import type { ModelFamily } from './families/family.js';
import { familyOfText } from './families/index.js';
import { countNonFiniteBlocksInFile } from './nan-check.js';
import { readGguf, type GgufHeader } from './reader.js';
import { isInsideFile } from './tensor-data.js';
import { checkLora } from './validate/lora.js';
import { problemOf, type Check, type GgufProblem } from './validate/problem.js';
import { checkText, type TextSizes } from './validate/text.js';
import { checkVision, type VisionSizes } from './validate/vision.js';

export interface ValidateOptions {
  /** Also reads all tensor data and looks for NaN and infinities. Default false: headers only. */
  readonly checkNan?: boolean;
  /** LoRA adapters (.gguf) that are to be applied to the text model. */
  readonly loras?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface ValidPair {
  readonly family: ModelFamily;
  readonly text: GgufHeader;
  readonly textSizes: TextSizes;
  readonly mmproj: GgufHeader;
  readonly visionSizes: VisionSizes;
  /** Of the adapters, in their order. */
  readonly loras: readonly GgufHeader[];
}

/**
 * Everything wrong with a text model that would make llama.cpp refuse it, crash, or quietly compute something else.
 * Empty for a sound file.
 *
 * @throws GgufError `IO` when the file cannot be read; the signal's reason.
 */
export async function validateText(path: string, options: ValidateOptions = {}): Promise<readonly GgufProblem[]> {
  return (await examineText(path, options)).problems;
}

/** The same for a LoRA adapter of a text model. */
export async function validateLora(
  path: string,
  base: GgufHeader,
  options: ValidateOptions = {},
): Promise<readonly GgufProblem[]> {
  return (await validateFile(path, (header) => checkLora(header, base), options)).problems;
}

/** The same for a vision (mmproj) file. */
export async function validateMmproj(path: string, options: ValidateOptions = {}): Promise<readonly GgufProblem[]> {
  return (await validateFile(path, checkVision, options)).problems;
}

/** The same for both files, and whether they belong together. */
export async function validatePair(
  textPath: string,
  mmprojPath: string,
  options: ValidateOptions = {},
): Promise<readonly GgufProblem[]> {
  return (await examinePair(textPath, mmprojPath, options)).problems;
}

/**
 * Both files' headers and sizes, for a pair without problems.
 *
 * @throws GgufError with the code of the first problem and the first three in its message; `IO`; the signal's reason.
 */
export async function requireValidPair(
  textPath: string,
  mmprojPath: string,
  options: ValidateOptions = {},
): Promise<ValidPair> {
  const { problems, pair } = await examinePair(textPath, mmprojPath, options);
  if (pair && problems.length === 0) return pair;
  throw errorOfProblems(problems);
}

/**
 * The header of a text model without problems.
 *
 * @throws GgufError as `requireValidPair`
 */
export async function requireValidText(path: string, options: ValidateOptions = {}): Promise<GgufHeader> {
  const { problems, header } = await validateFile(path, checkText, options);
  if (header && problems.length === 0) return header;
  throw errorOfProblems(problems);
}

/**
 * The header of a LoRA adapter without problems.
 *
 * @throws GgufError as `requireValidPair`
 */
export async function requireValidLora(path: string, base: GgufHeader): Promise<GgufHeader> {
  const { problems, header } = await validateFile(path, (found) => checkLora(found, base), {});
  if (header && problems.length === 0) return header;
  throw errorOfProblems(problems);
}

/** One line: the first three problems, each with its file, and how many more there are. */
export function errorOfProblems(problems: readonly GgufProblem[]): GgufError {
  const shown = problems.slice(0, 3).map(({ message }) => message);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : '';
  return new GgufError(problems[0]?.code ?? 'INVALID', shown.join('; ') + more);
}

interface Examined<T> {
  readonly problems: readonly GgufProblem[];
  readonly header?: GgufHeader;
  readonly sizes?: T;
}

async function examinePair(
  textPath: string,
  mmprojPath: string,
  options: ValidateOptions,
): Promise<{ problems: readonly GgufProblem[]; pair?: ValidPair }> {
  const text = await examineText(textPath, options);
  const mmproj = await validateFile(mmprojPath, checkVision, options);
  const problems = [...text.problems, ...mmproj.problems];
  if (!text.header || !text.sizes || !mmproj.header || !mmproj.sizes) return { problems };
  const family = familyOfText(text.header.metadata)!; // its sizes would not be known otherwise
  for (const finding of checkFit(family, text.sizes, mmproj.sizes)) problems.push(problemOf(mmprojPath, finding));
  const pair = {
    family,
    text: text.header,
    textSizes: text.sizes,
    mmproj: mmproj.header,
    visionSizes: mmproj.sizes,
    loras: text.loras,
  };
  return { problems, pair };
}

/** Whether a vision file is the text model's: llama.cpp adds up what it sees no names of. */
function* checkFit(family: ModelFamily, text: TextSizes, vision: VisionSizes): Check {
  const other = 'the files are of different models';
  if (vision.projector !== family.projector) {
    const required = `must be "${family.projector}", for the text model is a ${family.title}: ${other}`;
    yield { where: 'clip.projector_type', found: `"${vision.projector}"`, required };
  }
  if (vision.projectionDim !== text.nEmbd) {
    const required = `must be the text model's embedding_length ${text.nEmbd}: ${other}`;
    yield { where: 'clip.vision.projection_dim', found: String(vision.projectionDim), required };
  }
  const nDeepstack = vision.deepstackLayers.length;
  if (nDeepstack !== text.nDeepstack) {
    const required = `must be as many as the text model's n_deepstack_layers ${text.nDeepstack}: ${other}`;
    yield { where: 'tensor v.deepstack', found: `mergers of ${nDeepstack} layers`, required };
  }
}

/** A text model, and its adapters where it is sound itself. */
async function examineText(
  path: string,
  options: ValidateOptions,
): Promise<Examined<TextSizes> & { readonly loras: readonly GgufHeader[] }> {
  const text = await validateFile(path, checkText, options);
  const base = text.header;
  const problems = [...text.problems];
  const loras: GgufHeader[] = [];
  if (!base || problems.length > 0) return { ...text, loras };
  for (const lora of options.loras ?? []) {
    const examined = await validateFile(lora, (header) => checkLora(header, base), options);
    problems.push(...examined.problems);
    if (examined.header) loras.push(examined.header);
  }
  return { ...text, problems, loras };
}

async function validateFile<T>(
  path: string,
  check: (header: GgufHeader) => Check<T | undefined>,
  options: ValidateOptions,
): Promise<Examined<T>> {
  const { signal } = options;
  let header: GgufHeader;
  try {
    header = await readGguf(path, signal ? { signal } : {});
  } catch (error) {
    if (!(error instanceof GgufError) || error.code === 'IO') throw error;
    const found = error.message.slice(path.length + 2);
    const finding = { where: 'file', found, required: 'must be a readable GGUF file', code: error.code };
    return { problems: [problemOf(path, finding)] };
  }
  const problems: GgufProblem[] = [];
  const findings = check(header);
  let step = findings.next();
  for (; !step.done; step = findings.next()) problems.push(problemOf(path, step.value));
  if (options.checkNan) problems.push(...(await findNonFinite(header, options)));
  return { problems, header, ...(step.value !== undefined && { sizes: step.value }) };
}

async function findNonFinite(header: GgufHeader, { signal }: ValidateOptions): Promise<GgufProblem[]> {
  const problems: GgufProblem[] = [];
  for (const tensor of header.tensors.filter((candidate) => isInsideFile(header, candidate))) {
    const count = await countNonFiniteBlocksInFile(header, tensor, signal ? { signal } : {});
    if (count === 0) continue;
    problems.push(
      problemOf(header.path, {
        where: `tensor ${tensor.name}`,
        found: `NaN or infinity in ${count} blocks of ${tensor.type}`,
        required: 'must be finite numbers',
      }),
    );
  }
  return problems;
}
