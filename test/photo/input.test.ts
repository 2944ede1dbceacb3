import { execFileSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePhoto } from '../../src/photo/decode.js';
import { readInput } from '../../src/photo/input.js';
import { fromRaster, plain } from './fixtures.js';
import { asUnprivileged } from './unprivileged.js';
import { rejection } from './thrown.js';

let folder: string;
let png: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-input-'));
  await chmod(folder, 0o755);
  png = await fromRaster(plain({ width: 12, height: 7 }, [5, 6, 7]))
    .png()
    .toBuffer();
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('sources', () => {
  test('a path, a file URL, bytes, a stream and a web stream give the same photo', async () => {
    const path = await file('a photo.png', png);
    const inputs = [
      path,
      pathToFileURL(path),
      new Uint8Array(png),
      Readable.from([png.subarray(0, 9), png.subarray(9)]),
    ];
    for (const input of inputs) expect(await decodePhoto(input)).toMatchObject({ format: 'png', width: 12, height: 7 });
    expect(await decodePhoto(new Blob([png]).stream())).toMatchObject({ width: 12 });
  });

  test('only what comes from a path has a path', async () => {
    const path = await file('named.png', png);
    expect(await readInput(path)).toMatchObject({ path, name: path });
    expect(await readInput(png, { name: 'stdin' })).toMatchObject({ name: 'stdin' });
    expect(await readInput(png)).not.toHaveProperty('path');
  });

  test('the content decides, whatever the file is called', async () => {
    for (const name of ['wrong.jpg', 'none', 'odd.heic', 'text.txt', 'camera.nef']) {
      expect(await decodePhoto(await file(name, png))).toMatchObject({ format: 'png' });
    }
  });
});

describe('what cannot be read', () => {
  test('a missing file, also under a missing folder or below a file', async () => {
    const path = await file('plain.png', png);
    for (const missing of [join(folder, 'no.jpg'), join(folder, 'no', 'no.jpg'), join(path, 'no.jpg'), '']) {
      const thrown = await rejection(decodePhoto(missing));
      expect(thrown.code).toBe('INPUT_NOT_FOUND');
      expect(thrown.message).toBe(`${missing} does not exist: check the path`);
    }
  });

  test('a dangling link does not exist', async () => {
    const path = join(folder, 'dangling.jpg');
    await symlink(join(folder, 'gone.jpg'), path);
    expect((await rejection(decodePhoto(path))).code).toBe('INPUT_NOT_FOUND');
  });

  test('a folder', async () => {
    const path = join(folder, 'album.jpg');
    await mkdir(path);
    const thrown = await rejection(decodePhoto(path));
    expect(thrown.code).toBe('INPUT_UNREADABLE');
    expect(thrown.message).toMatch(/is a folder, not a photo/);
  });

  test('a file without read permission', async () => {
    const path = await file('secret.png', png);
    await chmod(path, 0o000);
    const thrown = await asUnprivileged(() => rejection(decodePhoto(path)));
    expect(thrown.code).toBe('INPUT_UNREADABLE');
    expect(thrown.message).toContain(`no permission to read ${path}`);
  });

  test('a named pipe that nobody writes to is refused at once, and so is a link to it', async () => {
    const pipe = join(folder, 'pipe.jpg');
    execFileSync('mkfifo', [pipe]);
    await symlink(pipe, join(folder, 'to-pipe.jpg'));
    for (const path of [pipe, join(folder, 'to-pipe.jpg')]) {
      const thrown = await rejection(decodePhoto(path));
      expect(thrown.code).toBe('INPUT_UNREADABLE');
      expect(thrown.message).toBe(`${path} is a pipe, not a file: name a file, or pass the photo on stdin (-)`);
    }
  });

  test('a device and a link to one that never ends are refused unread', async () => {
    const link = join(folder, 'zero.jpg');
    await symlink('/dev/zero', link);
    for (const path of ['/dev/zero', '/dev/null', link]) {
      const thrown = await rejection(decodePhoto(path));
      expect(thrown.code).toBe('INPUT_UNREADABLE');
      expect(thrown.message).toContain(`${path} is a device, not a file`);
    }
  });

  test('a socket is refused', async () => {
    const path = join(folder, 'socket.jpg');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const thrown = await rejection(decodePhoto(path));
    server.close();
    expect(thrown.code).toBe('INPUT_UNREADABLE');
    expect(thrown.message).toContain('socket');
  });

  test('a stream that fails, and one that is not of bytes', async () => {
    const failing = Readable.from(
      (function* () {
        yield png.subarray(0, 5);
        throw new Error('connection reset');
      })(),
    );
    const reset = await rejection(decodePhoto(failing, { name: 'upload' }));
    expect(reset.code).toBe('INPUT_UNREADABLE');
    expect(reset.message).toBe('cannot read upload: connection reset');
    const text = Readable.from(['some', 'text']) as AsyncIterable<Uint8Array>;
    expect((await rejection(decodePhoto(text))).code).toBe('USAGE');
  });

  test('a URL of another machine', async () => {
    const thrown = await rejection(decodePhoto(new URL('https://example.org/a.jpg')));
    expect(thrown.code).toBe('INPUT_UNSUPPORTED');
  });

  test('more bytes than allowed, from a file, from memory and from a stream', async () => {
    const path = await file('big.png', png);
    for (const input of [path, png, Readable.from([png])]) {
      const thrown = await rejection(decodePhoto(input, { maxBytes: png.length - 1 }));
      expect(thrown.code).toBe('INPUT_TOO_LARGE');
      expect(thrown.message).toContain('reduce it first (in code, decodePhoto takes it with a higher maxBytes)');
    }
  });
});

describe('abort', () => {
  test('ends the wait for a stream that gives nothing, and closes it', async () => {
    const silent = new Readable({ read: () => undefined });
    const controller = new AbortController();
    const reading = decodePhoto(silent, { signal: controller.signal });
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 5);
    await expect(reading).rejects.toBe(reason);
    expect(silent.destroyed).toBe(true);
  });

  test('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) await decodePhoto(Readable.from([png]), { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
