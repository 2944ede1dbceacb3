import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodePhoto,
  encodeCrop,
  openCropper,
  runBatch,
  writeFileAtomic,
  writeSidecar,
  type Cropper,
  type Photo,
  type PhotoInput,
} from '../../src/index.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const file = examplePhoto('dogs');
let cropper: Cropper;
let photo: Photo;
beforeAll(async () => {
  cropper = await openCropper({ engine: 'full' });
  photo = await decodePhoto(file);
});
afterAll(() => cropper.dispose());

/** As a caller without types may. */
const given = (options: object): never => options as never;

async function drained(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const crop = { x: 0, y: 0, width: 100, height: 100 };

describe('an option there is none of', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['crop', () => cropper.crop(file, given({ aspct: '4:5' })), 'aspect'],
    ['crop, for several', () => cropper.crop(file, given({ aspects: ['4:5'] })), 'aspect'],
    ['cropAll', () => drained(cropper.cropAll([file], given({ aspect: '4:5' }))), 'aspects'],
    ['cropEach', () => drained(cropper.cropEach([file], given({ onError: () => undefined }))), 'there are'],
    ['cropBuffer', () => cropper.cropBuffer(file, given({ qualty: 80 })), 'quality'],
    ['cropFile', () => cropper.cropFile(file, '/nowhere/x.jpg', given({ overwrite: true })), 'there are'],
    ['analyse', () => cropper.analyse(file, given({ sed: 1 })), 'seed'],
    ['rank', () => cropper.rank(file, [crop], given({ sead: 1 })), 'seed'],
    ['hold', () => cropper.hold(file, given({ singal: undefined })), 'signal'],
    ['openCropper', () => openCropper(given({ modl: 'nano' })), 'model'],
    ['runBatch', () => runBatch(given({ input: [file] })), 'inputs'],
    ['runBatch, for its cropper', () => runBatch(given({ inputs: [file], cropper: { engin: 'full' } })), 'engine'],
    ['runBatch, for its listener', () => runBatch({ inputs: [file] }, given({ onPhotos: () => 1 })), 'onPhoto'],
    ['encodeCrop', () => encodeCrop(photo, given({ crop, resise: { width: 1, height: 1 } })), 'resize'],
    ['writeSidecar', () => writeSidecar(photo, crop, given({ forse: true })), 'force'],
    ['decodePhoto', () => decodePhoto(file, given({ maxPixel: 1 })), 'maxPixels'],
    ['writeFileAtomic', () => writeFileAtomic('/nowhere/x', new Uint8Array(1), given({ overwrite: 1 })), 'there are'],
  ])('is refused by %s, with what was meant', async (_, call, meant) => {
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'FramewrightError', code: 'USAGE' });
    expect((error as Error).message).toMatch(/has no option "\w+"/);
    expect((error as Error).message).toContain(meant);
  });

  test('of a photo of a batch is that photo’s error', async () => {
    const outcomes = await drained(cropper.cropEach([given({ input: file, aspct: '1:1' }), file]));
    expect(outcomes).toMatchObject([{ error: { code: 'USAGE' } }, { results: [{}] }]);
  });

  test('is said of a held photo too', async () => {
    await using model = await openCropper();
    await using held = await model.hold(file);
    await expect(held.crop(given({ aspects: ['1:1'] }))).rejects.toMatchObject({ code: 'USAGE' });
  });
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ['an engine', () => openCropper(given({ engine: 'smart' })), /engine .*one of vlm, rules.*"smart"/],
  ['a GPU', () => openCropper(given({ gpu: 'metall' })), /did you mean "metal"/],
  ['the options as text', () => cropper.crop(file, given('4:5' as never)), /options of crop .* received "4:5"/],
  ['no options', () => cropper.crop(file, null as never), /received null/],
  ['ratios as text', () => drained(cropper.cropAll([file], given({ aspects: '4:5' }))), /aspects .* a list/],
  ['a fallback', () => cropper.crop(file, given({ minConfidence: 1, fallback: 'smart' })), /fallback .*"smart"/],
  ['a number that is none', () => openCropper({ engine: 'full', maxPixels: NaN }), /maxPixels .* received NaN/],
  ['a format', () => encodeCrop(photo, given({ crop, format: 'jpg' })), /format .* did you mean "jpeg"/],
  ['a format we do not write', () => encodeCrop(photo, given({ crop, format: 'bmp' })), /format .* received "bmp"/],
  ['quality 0', () => encodeCrop(photo, { crop, quality: 0 }), /quality .* from 1 to 100 .* 0/],
  ['quality 0 of a buffer', () => cropper.cropBuffer(file, { quality: 101 }), /quality .* from 1 to 100 .* 101/],
  ['a size of 0', () => encodeCrop(photo, { crop, resize: { width: 0, height: 10 } }), /width of resize/],
  ['a size of 0, for a crop', () => cropper.crop(file, { size: '0x100' }), /"0x100" is not a size/],
  ['a callback', () => openCropper(given({ onLog: true })), /onLog to be a function/],
  ['a callback of crop', () => cropper.crop(file, given({ onProgress: 'x' })), /onProgress to be a function/],
  ['a callback of cropAll', () => drained(cropper.cropAll([file], given({ onError: {} }))), /onError to be a function/],
  ['a listener', () => runBatch({ inputs: [file] }, given({ onEnd: 3 })), /onEnd to be a function/],
  ['a signal', () => cropper.crop(file, given({ signal: {} })), /signal to be an AbortSignal/],
])('%s of the wrong kind is refused, with what it may be', async (_, call, message) => {
  const error = await call().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'FramewrightError', code: 'USAGE' });
  expect((error as Error).message).toMatch(message);
});

describe('a callback that throws', () => {
  test.each(['onProgress', 'onConversation', 'onThought'] as const)('as %s rejects the crop with it', async (name) => {
    await using model = await openCropper();
    const thrown = new Error('mine');
    const call = model.crop(file, {
      [name]: () => {
        throw thrown;
      },
    });
    await expect(call).rejects.toBe(thrown);
  });

  test('as onLog ends the cropper’s work with it, and not the process', async () => {
    const program = `
      import { openCropper } from ${JSON.stringify(projectFile('dist', 'src', 'index.js'))};
      const onLog = () => { throw new Error('mine'); };
      const told = [];
      try {
        const cropper = await openCropper({ onLog });
        await cropper.crop(${JSON.stringify(file)});
        await cropper.dispose();
      } catch (error) { told.push(error.message); }
      console.log(JSON.stringify(told));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(JSON.parse(stdout)).toEqual(['mine']);
  });
});

describe('an input', () => {
  test.each<[string, (bytes: Uint8Array<ArrayBuffer>) => PhotoInput]>([
    ['ArrayBuffer', (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)],
    ['Buffer', (bytes) => Buffer.from(bytes)],
    ['Blob', (bytes) => new Blob([bytes])],
    ['File', (bytes) => new File([bytes], 'a.jpg')],
    ['Response', (bytes) => new Response(bytes)],
    ['web stream', (bytes) => new Blob([bytes]).stream()],
    ['body with arrayBuffer alone', (bytes) => ({ arrayBuffer: () => Promise.resolve(bytes.slice().buffer) })],
    ['stream that is not iterable', (bytes) => ({ getReader: () => new Blob([bytes]).stream().getReader() })],
  ])('as a %s is taken', async (_, from) => {
    const bytes = new Uint8Array(await readFile(file));
    const { width, height } = await decodePhoto(from(bytes));
    expect([width, height]).toEqual([photo.width, photo.height]);
  });

  test.each([[undefined], [null], [42], [true], [{}], [[1, 2]], [() => file], [new Map()]])(
    'as %o is refused, with what is taken',
    async (input) => {
      for (const call of [decodePhoto(input as never), cropper.crop(input as never)]) {
        await expect(call).rejects.toMatchObject({
          code: 'USAGE',
          message: expect.stringMatching(/a path, a file: URL, bytes .*Blob/) as string,
        });
      }
      const [outcome] = await drained(cropper.cropEach([input as never]));
      expect(outcome).toMatchObject({ error: { code: 'USAGE' } });
    },
  );

  test('that is elsewhere is refused without repeating all of it', async () => {
    const data = `data:image/jpeg;base64,${(await readFile(file)).toString('base64')}`;
    for (const input of [data, new URL(data), 'https://example.org/a.jpg']) {
      const error = await decodePhoto(input).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'INPUT_UNSUPPORTED' });
      expect((error as Error).message).toMatch(/is not on this machine/);
      expect((error as Error).message.length).toBeLessThan(300);
    }
  });

  test('as a response that failed, or was read, is refused as that', async () => {
    await expect(decodePhoto(new Response('no', { status: 404 }))).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('404') as string,
    });
    const read = new Response('x');
    await read.text();
    await expect(decodePhoto(read)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
