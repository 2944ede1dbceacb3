import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { FramewrightError, messageOf } from '../base/errors.js';
import type { Box, Size } from '../base/geometry.js';
import { OPTIONAL_PACKAGES } from '../files/optional-packages.js';

/**
 * Least score of what counts as a face. Above the false finds in 29 photos of COCO and FLMS looked at one by one (up to
 * 0.28), below the people found there (0.72 and more) and the faces of dogs it finds too (0.41 and more).
 */
const MIN_SCORE = 0.4;
const MAX_FACES = 100;

/** The part of @vladmandic/face-api 1.7.15 used here; its own types bring a second TensorFlow.js along. */
interface FaceApi {
  readonly tf: {
    setBackend(name: 'wasm'): Promise<boolean>;
    ready(): Promise<void>;
    tensor3d(values: Uint8Array, shape: readonly [number, number, number], type: 'int32'): { dispose(): void };
    readonly io: { decodeWeights(bytes: ArrayBuffer, specs: unknown): object };
  };
  readonly nets: {
    readonly ssdMobilenetv1: {
      loadFromWeightMap(weights: object): void;
      locateFaces(
        image: object,
        options: object,
      ): Promise<
        readonly {
          readonly score: number;
          readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
        }[]
      >;
    };
  };
  readonly SsdMobilenetv1Options: new (options: { minConfidence: number; maxResults: number }) => object;
}

export interface Face {
  readonly box: Box;
  /** How face-like the detector finds it, 0.4..1. */
  readonly faceScore: number;
}

/** @param rgb interleaved 8-bit sRGB, `3 * size.width * size.height` bytes. Boxes are in its pixels. */
export type FaceDetector = (rgb: Uint8Array, size: Size) => Promise<Face[]>;

/**
 * Faces of people (and, less surely, of animals) from about 1/25 of the photo's longer side: SSD on MobileNet v1 as
 * @vladmandic/face-api has it, on TensorFlow.js compiled to WebAssembly.
 *
 * @throws FramewrightError FACES_UNAVAILABLE where the packages are not installed
 */
export async function openFaceDetector(): Promise<FaceDetector> {
  try {
    const require = createRequire(import.meta.url);
    const faceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
    wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
    if (!(await faceApi.tf.setBackend('wasm'))) throw new Error('WebAssembly does not start');
    await faceApi.tf.ready();
    await loadWeights(faceApi, path.dirname(require.resolve('@vladmandic/face-api/package.json')));
    return (rgb, size) => locate(faceApi, rgb, size);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    throw new FramewrightError(
      'FACES_UNAVAILABLE',
      `${isMissing ? 'finding faces needs packages that are not installed' : `cannot find faces: ${messageOf(cause)}`}: npm install ${OPTIONAL_PACKAGES.faces.join(' ')}`,
      { cause },
    );
  }
}

async function loadWeights(faceApi: FaceApi, folder: string): Promise<void> {
  const file = (name: string): string => path.join(folder, 'model', `ssd_mobilenetv1_model${name}`);
  const [manifest] = JSON.parse(await readFile(file('-weights_manifest.json'), 'utf8')) as [{ weights: unknown }];
  const bytes = new Uint8Array(await readFile(file('.bin')));
  faceApi.nets.ssdMobilenetv1.loadFromWeightMap(faceApi.tf.io.decodeWeights(bytes.buffer, manifest.weights));
}

async function locate(faceApi: FaceApi, rgb: Uint8Array, { width, height }: Size): Promise<Face[]> {
  const image = faceApi.tf.tensor3d(rgb, [height, width, 3], 'int32');
  try {
    const options = new faceApi.SsdMobilenetv1Options({ minConfidence: MIN_SCORE, maxResults: MAX_FACES });
    const faces = await faceApi.nets.ssdMobilenetv1.locateFaces(image, options);
    return faces.flatMap(({ box, score }) => {
      const x1 = Math.max(0, Math.floor(box.x));
      const y1 = Math.max(0, Math.floor(box.y));
      const x2 = Math.min(width, Math.ceil(box.x + box.width));
      const y2 = Math.min(height, Math.ceil(box.y + box.height));
      return x1 < x2 && y1 < y2 ? [{ box: [x1, y1, x2, y2] as const, faceScore: score }] : [];
    });
  } finally {
    image.dispose();
  }
}
