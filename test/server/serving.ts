import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';
import { openCropper, startServer, type Cropper, type RunningServer, type ServerOptions } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

export const DOGS = readFileSync(examplePhoto('dogs'));

export interface Serving {
  readonly cropper: Cropper;
  readonly server: RunningServer;
  /** With the token, as a program asks. */
  readonly ask: (path: string, request?: AskOptions) => Promise<Response>;
}

export interface AskOptions {
  readonly method?: string;
  readonly body?: Uint8Array | FormData | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Call at the top of a file or of a describe: a server of the bundled model for its tests. */
export function useServer(options: Omit<ServerOptions, 'cropper'> = {}): () => Serving {
  let serving: Serving | undefined;
  beforeAll(async () => {
    const cropper = await openCropper({ gpu: 'cpu', threads: 1, maxPixels: 50_000_000 });
    const server = await startServer({ port: 0, cropper, ...options });
    serving = { cropper, server, ask: (path, request) => ask(server, path, request) };
  });
  afterAll(async () => {
    await serving?.server.close({ now: true });
    await serving?.cropper.dispose();
  });
  return () => {
    if (!serving) throw new Error('the server is only there while tests run');
    return serving;
  };
}

export function ask(
  { url, token }: Pick<RunningServer, 'url' | 'token'>,
  path: string,
  { body, headers, method = body ? 'POST' : 'GET', signal }: AskOptions = {},
): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    redirect: 'manual',
    ...(body ? { body: body instanceof FormData ? body : new Uint8Array(body) } : {}),
    ...(signal ? { signal } : {}),
  });
}

export function formOf(photo: Uint8Array, options?: object): FormData {
  const form = new FormData();
  form.set('photo', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), '<img src=x onerror=alert(1)>.jpg');
  if (options) form.set('options', JSON.stringify(options));
  return form;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request with headers that fetch does not let anybody set; the path goes out as it is. */
export function rawRequest(
  url: string,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: OutgoingHttpHeaders } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

/** A request as bytes. */
export interface Attack {
  readonly name: string;
  readonly parts: readonly (string | Uint8Array)[];
}

/** @param headers each with its line break */
export function requestBytes(
  method: string,
  target: string,
  headers: string,
  body: string | Uint8Array,
): (string | Uint8Array)[] {
  return [`${method} ${target} HTTP/1.1\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body];
}

/** Writes to a connection and gives back all that comes until the other side, or `untilClosed` false the first answer, ends. */
export function rawBytes(url: string, parts: readonly (string | Uint8Array)[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      // A refusal; the rest of what was begun would never come.
      if (text.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

/** The body of an upload that is begun and not ended: the request has a place in the queue and does nothing. */
export function beginUpload(server: RunningServer, path = '/v1/crop'): { end: () => void; answer: Promise<RawAnswer> } {
  const { hostname, port } = new URL(server.url);
  const headers = { authorization: `Bearer ${server.token ?? ''}`, 'content-length': DOGS.length };
  const request = httpRequest({ hostname, port, path, method: 'POST', headers, agent: false });
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
  });
  answer.catch(() => undefined);
  request.write(DOGS.subarray(0, 1000));
  return { end: () => request.end(DOGS.subarray(1000)), answer };
}

export interface ServerEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** The events of an answer, each as it comes. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  let text = '';
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event = '', data = '{}'] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      yield { event, data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}

/** A gauge or counter of /metrics. */
export async function metric(serving: Pick<Serving, 'ask'>, name: string): Promise<number> {
  const text = await (await serving.ask('/metrics')).text();
  return Number(new RegExp(`^framewright_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A PNG that says how large it is, and ends where its pixels would begin. */
export function pngHeader(widthPx: number, heightPx: number): Buffer {
  const bytes = Buffer.from(
    '89504e470d0a1a0a0000000d4948445200000000000000000802000000000000000000000049444154',
    'hex',
  );
  bytes.writeUInt32BE(widthPx, 16);
  bytes.writeUInt32BE(heightPx, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}
