import { stat } from 'node:fs/promises';
import { familyOfText, readGguf, validatePair } from '../../gguf/index.js';
import { messageOf } from '../base/errors.js';
import { fileSha256 } from '../files/file-hash.js';
import { BUNDLED_MODELS, resolveModel, type ModelSelection } from '../model/resolve.js';
import { loadPromptProfile } from '../vlm/prompt/profile.js';
import type { Finding } from './finding.js';
import { gigabytes } from './machine.js';

/** The models of the package, and the one asked for. */
export async function checkModels(wanted: ModelSelection, signal: AbortSignal): Promise<Finding[]> {
  const names = [...new Set([...Object.keys(BUNDLED_MODELS), wanted.model])];
  const findings: Finding[] = [];
  for (const model of names) findings.push(await checkModel(model === wanted.model ? wanted : { model }, signal));
  return findings;
}

async function checkModel(selection: ModelSelection, signal: AbortSignal): Promise<Finding> {
  const check = 'model';
  try {
    const { name, textPath, mmprojPath, loras, manifest, use } = await resolveModel(selection);
    await loadPromptProfile(use.promptProfile);
    const problems = await validatePair(textPath, mmprojPath, { loras: loras.map(({ path }) => path), signal });
    if (problems.length > 0) {
      return {
        check,
        status: 'problem',
        summary: `model ${name} cannot be used`,
        details: problems.map(({ message }) => message),
        remedies: ['get its files again; "framewright gguf validate" checks a pair'],
      };
    }
    const sizes = await Promise.all([textPath, mmprojPath].map(async (file) => (await stat(file)).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const family = familyOfText((await readGguf(textPath, { signal })).metadata);
    const summary = `model ${name}: a ${family?.title ?? 'model'} of ${gigabytes(bytes)}, valid`;
    const details = [textPath, mmprojPath];
    if (manifest && !selection.mmproj) {
      const { text, mmproj } = manifest.files;
      const hashes = [await fileSha256(textPath, signal), await fileSha256(mmprojPath, signal)];
      const changed = [text, mmproj]
        .filter(({ sha256 }, i) => sha256 !== undefined && sha256 !== hashes[i])
        .map((file) => file.name);
      if (changed.length > 0) {
        return {
          check,
          status: 'problem',
          summary: `model ${name}: ${changed.join(' and ')} is not the file its manifest names`,
          details,
          remedies: ['get the model again'],
        };
      }
      if (!manifest.trained) {
        return {
          check,
          status: 'warning',
          summary: `${summary}, but untrained: its crops mean nothing`,
          details,
          remedies: ['choose another with --model, or an engine without one: --engine rules'],
        };
      }
    }
    if (bytes > process.availableMemory()) {
      return {
        check,
        status: 'warning',
        summary: `${summary}, but more than the ${gigabytes(process.availableMemory())} of memory available`,
        details,
        remedies: ['choose a smaller quantisation, or a GPU with enough memory'],
      };
    }
    return { check, status: 'ok', summary, details };
  } catch (error) {
    signal.throwIfAborted();
    return { check, status: 'problem', summary: messageOf(error) };
  }
}
