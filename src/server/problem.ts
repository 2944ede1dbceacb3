import { codeOf, ERROR_CODES, FramewrightError, messageOf, type ErrorCode } from '../base/errors.js';

/** What goes wrong in HTTP itself, beside the codes of the library, with the status of each. */
const HTTP_STATUS = {
  BAD_REQUEST: 400, // no HTTP, or no form
  TOKEN_NEEDED: 401,
  HOST_REFUSED: 403, // a name that is not ours: DNS rebinding
  ORIGIN_REFUSED: 403, // asked by a page of another site
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406, // nothing of what the Accept header takes can be answered
  UPLOAD_SLOW: 408,
  BUSY: 503, // the queue is full
  CLOSING: 503,
  TIMEOUT: 504,
} as const;
type HttpCode = keyof typeof HTTP_STATUS;

/** Of the library's codes: what the client can mend; all others are the server's. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  INPUT_NOT_FOUND: 404,
  INPUT_UNREADABLE: 422,
  INPUT_UNSUPPORTED: 415,
  INPUT_CORRUPT: 422,
  INPUT_TOO_LARGE: 413,
  ASPECT_IMPOSSIBLE: 422,
  NOTHING_FOUND: 422,
  CONTEXT_FULL: 422,
  DISPOSED: 503,
  // Of the studio, whose files are those of whoever asks.
  OUTPUT_EXISTS: 409,
  OUTPUT_WRITE: 507,
};

type ProblemCode = HttpCode | ErrorCode;

/** Every code that is answered. */
export const PROBLEM_CODES: readonly ProblemCode[] = [...(Object.keys(HTTP_STATUS) as HttpCode[]), ...ERROR_CODES];

/** An error of HTTP, not of what was asked for. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpCode;
  /** Of the answer, e.g. Retry-After. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** An error as it is answered, in the form of RFC 9457 with the code of the command's errors. */
export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
}

export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof HttpProblem) {
    return { status: HTTP_STATUS[thrown.code], code: thrown.code, detail: thrown.message };
  }
  const code = codeOf(thrown);
  const status = STATUS[code];
  if (status !== undefined) return { status, code, detail: messageOf(thrown) };
  const ofParser = parserProblem(thrown);
  if (ofParser) return ofParser;
  // Its words may name files of the server's; they are in its log.
  return { status: 500, code, detail: 'the server could not do it; its log says why' };
}

/** Fastify and its multipart parser have codes and statuses of their own. */
function parserProblem(thrown: unknown): Problem | undefined {
  if (thrown instanceof FramewrightError || !(thrown instanceof Error)) return undefined;
  const { statusCode } = thrown as { readonly statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  if (statusCode === 413) return { status: 413, code: 'INPUT_TOO_LARGE', detail: messageOf(thrown) };
  return { status: statusCode, code: 'BAD_REQUEST', detail: messageOf(thrown) };
}

export interface ProblemBody extends Problem {
  readonly type: 'about:blank';
  /** The code once more. */
  readonly title: string;
}

/** The problem as its body has it. */
export function problemBody({ status, code, detail }: Problem): ProblemBody {
  return { type: 'about:blank', title: code, status, code, detail };
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
