import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Finished } from '../../cli/run.js';
import { usePhotoFolder } from '../../cli/crop/photo-folder.js';

const { at, run: plainRun } = usePhotoFolder();
const run = (...args: readonly string[]): Promise<Finished> => plainRun('--engine', 'full', ...args);
const LEFT_OUT =
  'in/dogs-crop.jpg is left out, by the name a crop of another photo here; to crop such a file, name it itself';

describe('crops among the photos', () => {
  test('of a run of one photo are left out of a folder or pattern, which is told, and not overwritten', async () => {
    expect((await run('in/dogs.jpg')).code).toBe(0);
    const crop = readFileSync(at('in', 'dogs-crop.jpg'));
    const again = await run('in/');
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain(`framewright: ${LEFT_OUT}\nframewright: in/dogs-crop.jpg exists already`);
    expect(readFileSync(at('in', 'dogs-crop.jpg'))).toEqual(crop);
    for (const [out, given] of [
      ['a', '--recursive .'],
      ['b', 'in/*.jpg'],
    ] as const) {
      const { code, stderr } = await run('-a', '1:1', '-o', `${out}/`, ...given.split(' '));
      expect({ code, stderr }).toEqual({ code: 0, stderr: `framewright: ${LEFT_OUT}\n` });
      const where = given.startsWith('--recursive') ? at(out, 'in') : at(out);
      expect(readdirSync(where).filter((name) => name.endsWith('.jpg'))).toEqual(['dogs-1x1.jpg', 'pagoda-1x1.jpg']);
      rmSync(at(out), { recursive: true });
    }
  });

  test('are photos where they are named, and where there is nothing they could be a crop of', async () => {
    expect((await run('in/dogs.jpg')).code).toBe(0);
    const refused = await run('in/dogs.jpg', 'in/dogs-crop.jpg');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('in/dogs-crop.jpg is one of the photos itself');
    expect(await run('-o', 'out/', 'in/', 'in/dogs-crop.jpg')).toMatchObject({ code: 0, stderr: '' });
    rmSync(at('in', 'dogs.jpg'));
    expect(await run('-o', 'out2/', 'in/')).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(at('out2'))).toContain('dogs-crop-crop.jpg');
  });

  test('are known by the journals of other runs in the folders given, whatever they are called', async () => {
    expect((await run('--name', '{name} small{ext}', '--recursive', '.')).code).toBe(0);
    expect(readdirSync(at('in'))).toContain('dogs small.jpg');
    const { code, stdout, stderr } = await run('-o', 'out/', 'in/');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'framewright: 2 pictures made here earlier are left out\n' });
    expect(stdout).toBe('out/dogs-crop.jpg\nout/pagoda-crop.jpg\n');
    expect((await run('-o', 'out2/', 'in/dogs small.jpg', 'in/dogs.jpg')).stdout.split('\n')).toHaveLength(3);
  });
});
