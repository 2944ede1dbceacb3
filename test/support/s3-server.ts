import { once } from 'node:events';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/**
 * A real S3 server in this process: s3rver 4.0.4 on a folder, behind a proxy of ours that counts requests, fails as it is
 * asked to, and adds what s3rver lacks of S3:
 *
 * - `If-None-Match: *` and `If-Match` on PUT and CompleteMultipartUpload, which s3rver passes over (lib/controllers/object.js
 *   looks at them for GET alone), and `If-Match` on GET: answered 412 here. Requests about one object take turns, since
 *   s3rver has an object in its place while its bytes are still coming;
 * - AbortMultipartUpload and ListMultipartUploads (405 and 501 there), and NoSuchUpload for what was aborted;
 * - lists of more than a page, whose tokens it makes by a cipher that Node has no more, by its lists of the first version,
 *   which have a key in the token's place; and `encoding-type=url`, which it passes over;
 * - deletions without Content-MD5, which servers other than AWS refuse;
 * - keys with empty names between slashes: it has no route to `a//b`, and keeps objects as files, where that is `a/b`.
 *
 * It asks for a known access key but not for a right signature: it takes the path of a bucket as signed without the slash
 * at its end, which the AWS SDK signs.
 */
export interface S3Server {
  readonly url: string;
  readonly folder: string;
  /** Points the AWS SDK of this process or a child at the server, and at nobody's own settings. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests that came, failed ones too. */
  readonly counts: Readonly<Record<RequestKind, number>>;
  /** The same, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Has requests fail from now on; the newest that fits one counts. Returns what ends it. */
  fail(fault: Fault): () => void;
  /** Puts objects where s3rver keeps them, without asking it. */
  place(bucket: string, objects: Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** Uploads in parts that were begun and neither completed nor aborted. */
  openUploads(bucket: string): Promise<string[]>;
  close(): Promise<void>;
}

export const REQUEST_KINDS = [
  'list',
  'get',
  'head',
  'put',
  'delete',
  'create-upload',
  'part',
  'complete-upload',
  'abort-upload',
  'list-uploads',
  'other',
] as const;

export type RequestKind = (typeof REQUEST_KINDS)[number];

export interface SeenRequest {
  readonly kind: RequestKind;
  readonly bucket: string;
  readonly key: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * - an answer: the server refuses, with this status and code;
 * - `cut`: the connection ends in the middle of the answer's body;
 * - `lost`: the request is carried out, and the connection ends before the answer;
 * - `down`: the connection ends before anything.
 */
export type FaultKind = { readonly status: number; readonly code: string } | 'cut' | 'lost' | 'down';

export interface Fault {
  readonly as: FaultKind;
  readonly kind?: RequestKind;
  readonly key?: string;
  /** Default: until it is ended. */
  readonly times?: number;
}

export const SLOW_DOWN = { status: 503, code: 'SlowDown' };
export const ACCESS_DENIED = { status: 403, code: 'AccessDenied' };

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
  readonly httpServer: Server;
  readonly store: { readonly constructor: KeyPaths };
}

interface KeyPaths {
  encodeKeyPath(key: string): string;
  decodeKeyPath(path: string): string;
}

/** In the place of an empty name; no key of a test has it. */
const EMPTY_NAME = '--empty--';

export async function startS3({
  folder,
  buckets = ['photos'],
}: {
  readonly folder: string;
  readonly buckets?: readonly string[];
}): Promise<S3Server> {
  const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3rver;
  const configureBuckets = buckets.map((name) => ({ name }));
  await mkdir(folder, { recursive: true });
  const s3rver = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets,
    allowMismatchedSignatures: true,
  });
  keepEmptyNames(s3rver.store.constructor);
  const { port } = await s3rver.run();

  const counts = Object.fromEntries(REQUEST_KINDS.map((kind) => [kind, 0])) as Record<RequestKind, number>;
  const requests: SeenRequest[] = [];
  const faults: { readonly fault: Fault; left: number }[] = [];
  const upstream: Upstream = { port, folder, turns: new Map() };

  const proxy = createServer((incoming, response) => {
    const seen = seenOf(incoming);
    counts[seen.kind]++;
    requests.push(seen);
    const hit = faults.findLast(
      ({ fault: { kind, key }, left }) =>
        left > 0 && (kind === undefined || kind === seen.kind) && (key === undefined || key === seen.key),
    );
    if (hit) hit.left--;
    answer(upstream, seen, incoming, response, hit?.fault.as).catch(() => response.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    url,
    folder,
    env: {
      AWS_ENDPOINT_URL_S3: url,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
      AWS_REGION: 'us-east-1',
      AWS_CONFIG_FILE: join(folder, 'no-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials'),
      AWS_EC2_METADATA_DISABLED: 'true',
      // Node 20 is told of its end by every client.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    counts,
    requests,
    fail: (fault) => {
      const entry = { fault, left: fault.times ?? Infinity };
      faults.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    place: async (bucket, objects) => {
      for (const [key, bytes] of Object.entries(objects)) {
        const file = join(folder, bucket, ...`${nameEmpty(key)}._S3rver_object`.split('/'));
        await mkdir(dirname(file), { recursive: true });
        await rm(`${file}.md5`, { force: true });
        await writeFile(file, bytes);
      }
    },
    openUploads: (bucket) => uploadsOf(folder, bucket),
    close: async () => {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, 'close');
      s3rver.httpServer.closeAllConnections();
      await s3rver.close();
    },
  };
}

interface Upstream {
  readonly port: number;
  readonly folder: string;
  /** What is last in the queue of an object or an upload. */
  readonly turns: Map<string, Promise<unknown>>;
}

function keepEmptyNames(paths: KeyPaths): void {
  paths.encodeKeyPath = nameEmpty;
  paths.decodeKeyPath = (path) => path.replaceAll(`${EMPTY_NAME}/`, '/');
}

function nameEmpty(key: string): string {
  const names = key.split('/');
  return names.map((name, i) => (name === '' && i < names.length - 1 ? EMPTY_NAME : name)).join('/');
}

/** The path of a request as s3rver has a route to. */
function routed(url: string): string {
  if (url.includes('list-type=2')) return listPath(url);
  const [, bucket, key, query] = /^\/([^/?]*)\/([^?]*)(.*)$/.exec(url) ?? [];
  return bucket === undefined || key === undefined || query === undefined
    ? url
    : `/${bucket}/${nameEmpty(key)}${query}`;
}

function seenOf({ method, url = '/', headers }: IncomingMessage): SeenRequest {
  const [path = '', query = ''] = url.split('?', 2);
  const [bucket = '', ...names] = path.slice(1).split('/');
  const key = decodeURIComponent(names.join('/'));
  return { kind: kindOf(method, key, new URLSearchParams(query)), bucket, key, headers };
}

function kindOf(method = '', key: string, query: URLSearchParams): RequestKind {
  const isUpload = query.has('uploadId');
  switch (`${method} ${key === '' ? 'bucket' : 'object'}`) {
    case 'GET bucket':
      return query.has('uploads') ? 'list-uploads' : query.has('list-type') ? 'list' : 'other';
    case 'POST bucket':
      return query.has('delete') ? 'delete' : 'other';
    case 'GET object':
      return 'get';
    case 'HEAD object':
      return 'head';
    case 'PUT object':
      return isUpload ? 'part' : 'put';
    case 'POST object':
      return isUpload ? 'complete-upload' : query.has('uploads') ? 'create-upload' : 'other';
    case 'DELETE object':
      return isUpload ? 'abort-upload' : 'delete';
    default:
      return 'other';
  }
}

async function answer(
  upstream: Upstream,
  seen: SeenRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  fault: FaultKind | undefined,
): Promise<void> {
  if (fault === 'down') {
    response.destroy();
  } else if (typeof fault === 'object') {
    await refuse(incoming, response, fault);
  } else {
    const forwarded = await carryOut(upstream, seen, incoming, response);
    if (!forwarded) return;
    if (fault === 'lost') {
      forwarded.resume();
      response.destroy();
    } else if (fault === 'cut') {
      await cutInTheMiddle(forwarded, response);
    } else if (seen.kind === 'list') {
      await answerList(incoming, forwarded, response);
    } else {
      response.writeHead(forwarded.statusCode!, forwarded.rawHeaders);
      forwarded.pipe(response);
    }
  }
}

/** The server's answer; undefined where the proxy has answered in its place. */
async function carryOut(
  upstream: Upstream,
  seen: SeenRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<IncomingMessage | undefined> {
  const { kind, bucket, key, headers } = seen;
  const uploadId = new URL(incoming.url!, 'http://s3').searchParams.get('uploadId');
  if (kind === 'list-uploads') {
    sendXml(response, 200, await uploadsXml(upstream.folder, bucket));
    return undefined;
  }
  if (kind === 'delete' && key === '' && headers['content-md5'] === undefined) {
    await refuse(incoming, response, { status: 400, code: 'InvalidRequest' });
    return undefined;
  }
  if (kind === 'list' || kind === 'create-upload' || key === '') return forward(upstream, incoming, response);
  if (kind === 'part') {
    // Parts of one upload come at the same time, but none once it is aborted.
    if (await isOpen(upstream, bucket, uploadId!))
      return noted(upstream, `part ${uploadId!}`, forward(upstream, incoming, response));
    await refuse(incoming, response, { status: 404, code: 'NoSuchUpload' });
    return undefined;
  }
  return inTurn(upstream, `${bucket}/${key}`, async () => {
    if (uploadId !== null && !(await isOpen(upstream, bucket, uploadId))) {
      await refuse(incoming, response, { status: 404, code: 'NoSuchUpload' });
      return undefined;
    }
    if (kind === 'abort-upload') {
      await upstream.turns.get(`part ${uploadId!}`);
      await rm(uploadFolder(upstream.folder, bucket, uploadId!), { recursive: true });
      response.writeHead(204).end();
      return undefined;
    }
    const isWrite = kind === 'put' || kind === 'complete-upload';
    const { 'if-none-match': noneMatch, 'if-match': match } = headers;
    const etag = (noneMatch ?? match) === undefined ? undefined : await etagOf(upstream, incoming);
    const isTaken = isWrite && noneMatch === '*' && etag !== undefined;
    const isOther = match !== undefined && match !== etag && (isWrite || (kind === 'get' && etag !== undefined));
    if (!isTaken && !isOther) return forward(upstream, incoming, response);
    await refuse(incoming, response, { status: 412, code: 'PreconditionFailed' });
    return undefined;
  });
}

/** The request as it came. Resolves with the beginning of the answer. */
function forward({ port }: Upstream, incoming: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, url = '/', headers } = incoming;
    const { expect: _, ...rest } = headers;
    const path = routed(url);
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers: rest, agent: false }, resolve);
    outgoing.on('error', reject);
    // Whoever asked has gone away.
    if (response.destroyed) outgoing.destroy();
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    incoming.pipe(outgoing);
  });
}

/** Of the object a request is about, asked as anybody, which s3rver allows; undefined where there is none. */
async function etagOf({ port }: Upstream, { url = '/' }: IncomingMessage): Promise<string | undefined> {
  const path = routed(url).split('?', 1)[0];
  const asked = request({ host: '127.0.0.1', port, method: 'HEAD', path, agent: false }).end();
  const [found] = (await once(asked, 'response')) as [IncomingMessage];
  found.resume();
  return found.statusCode === 200 ? found.headers.etag : undefined;
}

async function cutInTheMiddle(forwarded: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = await bodyOf(forwarded);
  response.writeHead(forwarded.statusCode!, forwarded.rawHeaders);
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
}

/** A list of the first version in the place of the second: it goes on after a key, which is our token. */
function listPath(url: string): string {
  const [path = '', search] = url.split('?', 2);
  const query = new URLSearchParams(search);
  const token = query.get('continuation-token');
  query.delete('list-type');
  query.delete('continuation-token');
  if (token !== null) query.set('marker', Buffer.from(token, 'base64url').toString());
  return `${path}?${query.toString()}`;
}

async function answerList(
  incoming: IncomingMessage,
  forwarded: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const xml = (await bodyOf(forwarded)).toString('utf8');
  const isEncoded = incoming.url!.includes('encoding-type=url');
  let last = '';
  const keys = xml.replace(/<Key>(.*?)<\/Key>/gs, (element, escaped: string) => {
    // Escaped twice by s3rver.
    last = unescapeXml(unescapeXml(escaped));
    return isEncoded ? `<Key>${encodeURIComponent(last).replaceAll('%20', '+').replaceAll('%2F', '/')}</Key>` : element;
  });
  const token = Buffer.from(last).toString('base64url');
  const added = [
    isEncoded ? '<EncodingType>url</EncodingType>' : '',
    xml.includes('<IsTruncated>true<') ? `<NextContinuationToken>${token}</NextContinuationToken>` : '',
  ];
  sendXml(response, forwarded.statusCode!, keys.replace('</ListBucketResult>', `${added.join('')}</ListBucketResult>`));
}

function unescapeXml(text: string): string {
  const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|(\w+));/gi, (_, hex: string | undefined, name: string) =>
    hex === undefined ? characters[name]! : String.fromCodePoint(parseInt(hex, 16)),
  );
}

async function refuse(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, code }: { readonly status: number; readonly code: string },
): Promise<void> {
  await bodyOf(incoming);
  sendXml(response, status, `<Error><Code>${code}</Code><Message>said by a test</Message></Error>`);
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  const bytes = Buffer.from(xml);
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': bytes.length });
  response.end(bytes);
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function inTurn<T>({ turns }: Upstream, name: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(name) ?? Promise.resolve()).then(work);
  turns.set(
    name,
    turn.catch(() => undefined),
  );
  return turn;
}

/** Has whoever looks up the name wait for the work too. */
function noted<T>({ turns }: Upstream, name: string, work: Promise<T>): Promise<T> {
  turns.set(name, Promise.allSettled([turns.get(name), work]));
  return work;
}

function uploadFolder(folder: string, bucket: string, uploadId: string): string {
  return join(folder, bucket, '._S3rver_uploads', uploadId);
}

async function isOpen({ folder }: Upstream, bucket: string, uploadId: string): Promise<boolean> {
  return stat(uploadFolder(folder, bucket, uploadId)).then(
    () => true,
    () => false,
  );
}

async function uploadsOf(folder: string, bucket: string): Promise<string[]> {
  return readdir(uploadFolder(folder, bucket, '')).catch(() => []);
}

async function uploadsXml(folder: string, bucket: string): Promise<string> {
  const uploads = (await uploadsOf(folder, bucket)).map((id) => `<Upload><UploadId>${id}</UploadId></Upload>`);
  return `<ListMultipartUploadsResult><Bucket>${bucket}</Bucket>${uploads.join('')}</ListMultipartUploadsResult>`;
}
