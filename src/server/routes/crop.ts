import type { FastifyInstance, FastifyReply } from 'fastify';
import { defined } from '../../base/defined.js';
import type { CropResult } from '../../base/schema.js';
import type { PhotoOutcome } from '../../cropper/options.js';
import { pictureOf } from '../../crop/picture.js';
import { refusedTarget } from '../../crop/refused-target.js';
import { FramewrightError } from '../../base/errors.js';
import { encodeCrop } from '../../photo/crop-file.js';
import type { ServerContext } from '../context.js';
import { EventStream } from '../events.js';
import { problemBody, problemOf, type Problem } from '../problem.js';
import type { CropAnswer } from '../request/answers.js';
import { answerForm, type AnswerForm } from '../request/negotiate.js';
import { optionsReader } from '../request/read-options.js';
import { cropRequestSchema, type CropRequest } from '../request/schema.js';
import { withPhoto, type PhotoRequest } from '../upload/photo-request.js';
import { ClientGone } from '../queue/job.js';

type Asked = PhotoRequest<CropRequest>;
type Cropped = Extract<PhotoOutcome, { readonly photo: unknown }>;

/** POST /v1/crop: a photo in; rectangles and reasons, a picture, or events out. */
export function addCropRoute(app: FastifyInstance, context: ServerContext): void {
  const readOptions = optionsReader(cropRequestSchema);
  app.post('/v1/crop', async (request, reply) => {
    const form = answerForm(request.headers.accept);
    return withPhoto(context, request, reply, readOptions, async (asked) => {
      if (form.kind === 'events') return streamCrops(context, asked, reply);
      if (form.kind === 'picture') return sendPicture(context, asked, form, reply);
      return cropsOf(await inTurn(context, asked), asked);
    });
  });
}

/** The crops, in the request's turn. */
function inTurn(
  { queue, cropper }: ServerContext,
  { bytes, name, options, job }: Asked,
  onProgress?: (stage: string) => void,
): Promise<Cropped> {
  const { path: _, aspect, size, format: __, quality: ___, strip: ____, ...wishes } = options;
  const { signal } = job;
  return queue.inTurn(job, async () => {
    const task = { input: bytes, name, ...defined({ aspects: aspect, sizes: size }) };
    const shared = { ...defined({ ...wishes, onProgress }), signal };
    for await (const outcome of cropper.cropEach([task], shared)) {
      if (outcome.results) return outcome;
      throw outcome.error;
    }
    throw new FramewrightError('INTERNAL', 'a photo had no outcome');
  });
}

/** What is answered as JSON: every crop that was made, and every ratio and size that the photo has none for. */
function cropsOf({ targets }: Cropped, { path }: Asked): CropAnswer {
  const crops = targets.flatMap(({ result }) => (result ? [withPath(result, path)] : []));
  const refused = targets.flatMap((each) => (each.error ? [refusedTarget(each)] : []));
  return { crops, refused };
}

function withPath(result: CropResult, path: string | undefined): CropResult {
  return path === undefined ? result : { ...result, photo: { ...result.photo, path } };
}

/** @throws FramewrightError USAGE for more than one crop, ASPECT_IMPOSSIBLE */
async function sendPicture(
  context: ServerContext,
  asked: Asked,
  { format: accepted }: Extract<AnswerForm, { kind: 'picture' }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { aspect = [], size = [], format = accepted, quality, strip } = asked.options;
  if (aspect.length + size.length > 1) {
    throw new FramewrightError('USAGE', 'a picture is one crop: ask for one ratio or size, or take application/json');
  }
  const { photo, results } = await inTurn(context, asked);
  const result = results[0]!;
  const { crop, focalPoint, straighten } = result;
  const { signal } = asked.job;
  const { bytes, ...picture } = await encodeCrop(photo, {
    ...pictureOf(result),
    ...defined({ format, quality, strip, signal }),
  });
  if (straighten?.applied) reply.header('x-framewright-straighten', String(straighten.angleDeg));
  return reply
    .type(`image/${picture.format}`)
    .header('x-framewright-crop', [crop.x, crop.y, crop.width, crop.height].join(','))
    .header('x-framewright-focal-point', `${focalPoint.x},${focalPoint.y}`)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Events: `waiting` with how many are before, `stage` as each begins, then `crops` or `problem`. */
async function streamCrops(context: ServerContext, asked: Asked, reply: FastifyReply): Promise<FastifyReply> {
  const events = new EventStream(reply);
  events.send('waiting', { waiting: context.queue.nWaiting - 1 });
  try {
    const cropped = await inTurn(context, asked, (stage) => events.send('stage', { stage }));
    events.send('crops', cropsOf(cropped, asked));
  } catch (error) {
    if (!(error instanceof ClientGone)) events.send('problem', problemBody(tell(context, error)));
  } finally {
    events.end();
  }
  return reply;
}

function tell({ options }: ServerContext, error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.status === 500) options.onLog(`POST /v1/crop: ${String(error)}`);
  return problem;
}
