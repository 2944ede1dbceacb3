import { describe, expect, test } from 'vitest';
import { openCropper } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

const photo = examplePhoto('pagoda');

describe('aborting', () => {
  test.each(['decode', 'analyse', 'propose', 'decide'])(
    'in %s rejects with the signal reason, and the next crop works',
    async (stage) => {
      await using cropper = await openCropper({ gpu: 'cpu', threads: 1 });
      const expected = await cropper.crop(photo);
      const controller = new AbortController();
      const reason = new Error(`enough of ${stage}`);
      const onProgress = (name: string): void => {
        if (name === stage) controller.abort(reason);
      };
      await expect(cropper.crop(photo, { signal: controller.signal, onProgress })).rejects.toBe(reason);
      expect((await cropper.crop(photo)).candidates).toEqual(expected.candidates);
    },
  );

  test('at any moment of a crop rejects with the signal reason or finds it finished', async () => {
    await using cropper = await openCropper({ gpu: 'cpu', threads: 1 });
    await cropper.crop(photo);
    const start = performance.now();
    const expected = await cropper.crop(photo);
    const wholeMs = performance.now() - start;
    for (let i = 0; i < 25; i++) {
      const reason = new Error('enough');
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(reason), (wholeMs * i) / 20);
      const outcome = await cropper.crop(photo, { signal: controller.signal }).catch((error: unknown) => error);
      clearTimeout(timer);
      if (outcome !== reason) expect((outcome as typeof expected).candidates).toEqual(expected.candidates);
    }
    expect((await cropper.crop(photo)).candidates).toEqual(expected.candidates);
  });

  test('before and while loading rejects with the signal reason', async () => {
    const reason = new Error('not today');
    await expect(openCropper({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const opening = openCropper({
      gpu: 'cpu',
      threads: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
  });

  test("with the opening's signal ends what the cropper does later", async () => {
    const controller = new AbortController();
    await using cropper = await openCropper({ gpu: 'cpu', threads: 1, signal: controller.signal });
    const reason = new Error('closing time');
    const running = cropper.crop(photo);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});

describe('dispose', () => {
  test('during work rejects that work with DISPOSED and returns', async () => {
    const cropper = await openCropper({ gpu: 'cpu', threads: 1 });
    const running = [cropper.crop(photo), cropper.crop(photo), cropper.analyse(photo)];
    const settled = Promise.allSettled(running);
    await cropper.dispose();
    for (const outcome of await settled) {
      expect(outcome.status).toBe('rejected');
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({ code: 'DISPOSED' });
    }
  });

  test('twice is once, and use afterwards is refused', async () => {
    const cropper = await openCropper({ gpu: 'cpu', threads: 1 });
    await Promise.all([cropper.dispose(), cropper.dispose()]);
    await expect(cropper.crop(photo)).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(cropper.analyse(photo)).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
