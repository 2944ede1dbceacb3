/**
 * The process of a worker that crops. What crashes here, in a decoder or on a GPU, ends this process and not the worker,
 * which keeps its job meanwhile and knows which photo it was.
 */
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import type { CropperOptions } from '../../cropper/options.js';
import { codeOf, messageOf } from '../../base/errors.js';
import { usableCores } from '../../runtime/threads.js';
import type { LogLine } from '../../runtime/types.js';
import { answerTo } from '../ask/question.js';
import type { RunSpec } from '../run/run-spec.js';
import { cropBucketJob, usesBuckets } from './bucket-job.js';
import { cropJob } from './crop-job.js';
import { mergeRun } from './merge-journals.js';
import type { FromChild, Task, TaskAnswer, ToChild, WorkerCropper } from './messages.js';

let options: WorkerCropper & Pick<CropperOptions, 'onLog'> = {};
let open: { readonly cropper: Cropper; readonly opening: string } | undefined;
let noMore = new AbortController();

process.on('message', (message: ToChild) => {
  if (message.do === 'no more') noMore.abort();
  else void carryOut(message);
});
// Without its worker nobody holds the job's lock.
process.on('disconnect', () => process.exit(1));
// Ctrl-C goes to all processes of a terminal; the worker says when to stop.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

async function carryOut(task: Task): Promise<void> {
  noMore = new AbortController();
  try {
    void tell({ say: 'done', answer: await answer(task) });
  } catch (error) {
    void tell({ say: 'failed', code: codeOf(error), message: messageOf(error) });
  }
}

async function answer(task: Task): Promise<TaskAnswer> {
  if (task.do === 'merge') {
    await mergeRun(task.spec);
    return {};
  }
  if (task.do === 'ask') return { answer: await answerTo(task.question, await cropperFor({ rawPreview: false })) };
  if (task.do === 'open') {
    options = task.isVerbose ? { ...task.cropper, onLog: log } : task.cropper;
    return { runsOn: runsOn(await cropperFor({ rawPreview: false })) };
  }
  const cropper = await cropperFor(task.spec.opening);
  const crop = usesBuckets(task.spec) ? cropBucketJob : cropJob;
  const isStopped = await crop(
    task,
    cropper,
    {
      onBegin: (photo) => tell({ say: 'begin', photo }),
      onPassed: (photo) => void tell({ say: 'passed', photo }),
      onCropped: (photo) => void tell({ say: 'cropped', photo, residentBytes: process.memoryUsage.rss() }),
      onFailed: (photo, failure) =>
        void tell({ say: 'not cropped', photo, ...failure, residentBytes: process.memoryUsage.rss() }),
      onKey: (key) => void tell({ say: 'key', key }),
    },
    noMore.signal,
  );
  return { isStopped };
}

/** Opened once, and again only for a run that asks for other limits. */
async function cropperFor({ maxPixels, firstFrame, rawPreview }: RunSpec['opening']): Promise<Cropper> {
  const opening = JSON.stringify([maxPixels, firstFrame ?? false, rawPreview ?? false]);
  if (open?.opening === opening) return open.cropper;
  await open?.cropper.dispose();
  open = undefined;
  const own = { ...(maxPixels === undefined ? {} : { maxPixels }), firstFrame: firstFrame ?? false };
  open = { cropper: await openCropper({ ...options, ...own, rawPreview: rawPreview ?? false }), opening };
  return open.cropper;
}

function log({ level, text }: LogLine): void {
  process.stderr.write(`${level}: ${text.trimEnd()}\n`);
}

function runsOn({ runtimeInfo }: Cropper): string {
  const gpus = runtimeInfo?.devices.filter(({ kind }) => kind !== 'cpu').map(({ name }) => name) ?? [];
  return gpus.length > 0 ? gpus.join(', ') : `CPU, ${usableCores()} cores`;
}

/** Resolves when the message is out of this process. */
function tell(message: FromChild): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send!(message, undefined, {}, () => resolve());
  });
}
