import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a test's server does with a request, instead of or before what a good one does. */
export interface Manners {
  /** Bytes of a body after which the connection is cut, asked for each answer; undefined sends it whole. */
  readonly cutAfter?: () => number | undefined;
  /** Answers in its own way, and says whether it did. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly takesRanges?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RangeServer extends AsyncDisposable {
  readonly url: string;
  /** The file served; may be exchanged at any time. */
  content: Buffer;
  manners: Manners;
  /** Of every request so far. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
}

/** A loopback server of one file, at any path, that takes ranges as nginx does. */
export async function serveFile(content: Buffer, manners: Manners = {}): Promise<RangeServer> {
  const requests: RangeServer['requests'] = [];
  const state = { content, manners };
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    if (state.manners.answer?.(request, response)) return;
    const { takesRanges = true, headers = {}, cutAfter } = state.manners;
    const etag = `"${state.content.length.toString(36)}-${state.content.readUInt32LE(0).toString(36)}"`;
    const condition = request.headers['if-range'];
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const isPart = takesRanges && match !== null && (condition === undefined || condition === etag);
    const [from, to] = isPart
      ? [Number(match[1]), Math.min(Number(match[2]) + 1, state.content.length)]
      : [0, state.content.length];
    if (isPart && from >= state.content.length) {
      response.writeHead(416, { 'content-range': `bytes */${state.content.length}` }).end();
      return;
    }
    response.writeHead(isPart ? 206 : 200, {
      'content-length': to - from,
      etag,
      ...(isPart ? { 'content-range': `bytes ${from}-${to - 1}/${state.content.length}` } : {}),
      ...headers,
    });
    const cut = cutAfter?.();
    const body = state.content.subarray(from, to);
    if (cut === undefined || cut >= body.length) response.end(body);
    else response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get content() {
      return state.content;
    },
    set content(value) {
      state.content = value;
    },
    get manners() {
      return state.manners;
    },
    set manners(value) {
      state.manners = value;
    },
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
