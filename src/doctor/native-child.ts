// The process that loads native code for `checkNative`: sends what it begins and what it finds.
import { openCropper } from '../cropper/cropper.js';
import { messageOf } from '../base/errors.js';
import { decodePhoto } from '../photo/decode.js';
import { encodeCrop } from '../photo/crop-file.js';
import { sharp } from '../photo/vips.js';
import type { CpuVariant } from '../runtime/backends/cpu-variants.js';
import { loadBinding } from '../runtime/binding.js';
import type { Finding } from './finding.js';
import { checkGpus } from './gpu.js';
import type { NativeMessage, NativeRequest } from './native.js';

const request = JSON.parse(process.argv[2]!) as NativeRequest;

function send(message: NativeMessage): Promise<void> {
  return new Promise((resolve, reject) =>
    process.send!(message, (error: Error | null) => {
      if (error) reject(error);
      else resolve();
    }),
  );
}

/** Runs one examination; whatever it throws is its finding. */
async function examine(check: string, work: () => Promise<readonly Finding[]>): Promise<boolean> {
  await send({ begun: check });
  let findings: readonly Finding[];
  try {
    findings = await work();
  } catch (error) {
    findings = [{ check, status: 'problem', summary: messageOf(error) }];
  }
  for (const finding of findings) await send({ finding });
  return findings.every(({ status }) => status !== 'problem');
}

async function checkAddon(): Promise<Finding[]> {
  const { addon, info, cpuVariants } = await loadBinding({ gpu: 'cpu' });
  const features = addon
    .versions()
    .system.split(/[|:]/)
    .flatMap((part) => /^\s*(\w+) = 1\s*$/.exec(part)?.[1] ?? []);
  return [
    {
      check: 'addon',
      status: 'ok',
      summary: `native addon (${info.build} build), llama.cpp ${info.llamaVersion}, N-API ${addon.versions().napi}`,
      details: [info.addonPath, ...info.fallbacks, ...(features.length > 0 ? [`CPU: ${features.join(', ')}`] : [])],
    },
    checkCpu(cpuVariants(), info.cpuVariant),
  ];
}

/** Which of the CPU backend's libraries computes, and which others could. */
function checkCpu(variants: readonly CpuVariant[], inUse: string | undefined): Finding {
  const names = (isExecutable: boolean): string[] =>
    variants.filter((variant) => variant.isExecutable === isExecutable).map(({ name }) => name);
  if (inUse === undefined || variants.length === 0)
    return { check: 'cpu', status: 'ok', summary: 'CPU variant: the one this build from source was compiled as' };
  const [best] = names(true);
  const byChoice = inUse === best ? 'the best this processor executes' : `by choice; the best would be ${best!}`;
  return {
    check: 'cpu',
    status: 'ok',
    summary: `CPU variant ${inUse}, ${byChoice}`,
    details: [
      `could be, by FRAMEWRIGHT_CPU: ${names(true).join(', ')}`,
      ...(names(false).length > 0 ? [`this processor cannot execute: ${names(false).join(', ')}`] : []),
    ],
  };
}

/** A drawn photo through the whole pipeline, once without a model and once with. */
async function checkCrop(): Promise<Finding[]> {
  const photo = await drawnPhoto();
  const findings: Finding[] = [];
  for (const engine of ['rules', 'vlm'] as const) {
    const startedAt = performance.now();
    const cropper = await openCropper({ ...request, engine });
    try {
      const openedAt = performance.now();
      const { crop, candidates } = await cropper.crop(photo, { aspect: '4:5' });
      const encoded = await encodeCrop(await decodePhoto(photo), { crop });
      const { width, height } = await sharp(encoded.bytes).metadata();
      if (width !== crop.width || height !== crop.height || crop.width * 5 !== crop.height * 4) {
        throw new Error(`the ${engine} crop is ${width}x${height} px where ${crop.width}x${crop.height} was said`);
      }
      const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
      const who = cropper.model ? `model ${cropper.model.name} on ${cropper.runtimeInfo!.backend}` : `engine ${engine}`;
      findings.push({
        check: 'crop',
        status: 'ok',
        summary: `${who} cropped a test photo: ${candidates.length} candidates in ${seconds(performance.now() - openedAt)}, opened in ${seconds(openedAt - startedAt)}`,
      });
    } finally {
      await cropper.dispose();
    }
  }
  return findings;
}

function drawnPhoto(): Promise<Buffer> {
  const scene =
    '<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640"><rect width="960" height="640" fill="#9cc4e4"/>' +
    '<rect y="420" width="960" height="220" fill="#5d7f3a"/><circle cx="640" cy="360" r="90" fill="#c8442c"/></svg>';
  return sharp(Buffer.from(scene)).flatten().jpeg().toBuffer();
}

if (await examine('addon', checkAddon)) {
  await examine('gpu', () => checkGpus(request.gpu));
  await examine('crop', checkCrop);
}
process.disconnect();
