import { fork, type ChildProcess } from 'node:child_process';
import { FramewrightError, type ErrorCode } from '../../base/errors.js';
import { packageFile } from '../../files/package-root.js';
import type { PhotoFailure } from '../run/run-spec.js';
import { removeScratchOf } from './scratch.js';
import type { FromChild, Task, TaskAnswer, ToChild, WorkerCropper } from './messages.js';

/** The process that crops has ended in the middle of a task. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
  /** The photos it had begun and not finished. */
  readonly photos: readonly string[];
  /** `SIGSEGV`, `exit code 1` */
  readonly how: string;

  constructor(how: string, photos: readonly string[]) {
    super(`the process that crops has ended (${how})`);
    this.how = how;
    this.photos = photos;
  }
}

/** Told of the photos of a task. */
export interface TaskListener {
  readonly onHand?: (photos: readonly string[]) => void;
  readonly onCropped?: (photo: string) => void;
  readonly onFailed?: (photo: string, failure: PhotoFailure) => void;
  readonly onKey?: (key: string) => void;
}

/** How long a process may take to end by itself. */
const END_MS = 5000;

/** The process that crops, which is made when it is first needed, and anew after it has ended. */
export class CropProcess implements AsyncDisposable {
  readonly #cropper: WorkerCropper;
  #child: ChildProcess | undefined;
  #runsOn = '';
  #residentBytes = 0;
  #isNoMore = false;
  #isBusy = false;

  readonly #isVerbose: boolean;

  constructor(cropper: WorkerCropper, { isVerbose = false }: { readonly isVerbose?: boolean } = {}) {
    this.#cropper = cropper;
    this.#isVerbose = isVerbose;
  }

  /** What it runs on, in words, once it has been opened. */
  get runsOn(): string {
    return this.#runsOn;
  }

  /** After its last photo; 0 where there is none. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  /** It is at a task. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * @throws FramewrightError as openCropper; ProcessDied
   */
  async open(): Promise<void> {
    // One that has ended while it had nothing to do told nobody.
    if (this.#child?.connected && this.#child.exitCode === null && this.#child.signalCode === null) return;
    this.#residentBytes = 0;
    const child = fork(packageFile('dist', 'src', 'fleet', 'worker', 'child.js'), {
      // What it says for people goes where this process says it; stdout is for results.
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
      // As of the command: memory is to stay flat over a run.
      execArgv: ['--semi-space-growth-factor=1', '--incremental-marking-soft-trigger=20'],
    });
    const { pid } = child;
    if (pid !== undefined) child.once('exit', () => void removeScratchOf(pid));
    this.#child = child;
    try {
      const { runsOn } = await this.#task({ do: 'open', cropper: this.#cropper, isVerbose: this.#isVerbose }, {});
      this.#runsOn = runsOn ?? '';
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  /**
   * @throws ProcessDied; FramewrightError what prevents the task as a whole
   */
  async carryOut(task: Task, listener: TaskListener = {}): Promise<TaskAnswer> {
    this.#isNoMore = false;
    await this.open();
    return this.#task(task, listener);
  }

  /** The task under way ends after the photos in hand. */
  beginNoMore(): void {
    if (this.#isNoMore) return;
    this.#isNoMore = true;
    this.#send({ do: 'no more' });
  }

  /** Ends it at once. */
  kill(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#residentBytes = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    // It ends when nobody listens any more.
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(timer);
    this.#child = undefined;
  }

  #send(message: ToChild): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #task(task: Task, { onHand, onCropped, onFailed, onKey }: TaskListener): Promise<TaskAnswer> {
    const child = this.#child!;
    const hand = new Set<string>();
    this.#isBusy = true;
    return new Promise((resolve, reject) => {
      const settle = (photo: string, residentBytes: number): void => {
        hand.delete(photo);
        this.#residentBytes = residentBytes;
        onHand?.([...hand]);
      };
      const onMessage = (message: FromChild): void => {
        switch (message.say) {
          case 'begin':
            hand.add(message.photo);
            onHand?.([...hand]);
            break;
          case 'passed':
            hand.delete(message.photo);
            onHand?.([...hand]);
            break;
          case 'cropped':
            settle(message.photo, message.residentBytes);
            onCropped?.(message.photo);
            break;
          case 'not cropped':
            settle(message.photo, message.residentBytes);
            onFailed?.(message.photo, { code: message.code, message: message.message });
            break;
          case 'key':
            onKey?.(message.key);
            break;
          case 'done':
            stopListening();
            resolve(message.answer);
            break;
          case 'failed':
            stopListening();
            reject(new FramewrightError(message.code as ErrorCode, message.message));
        }
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
        stopListening();
        if (this.#child === child) this.#child = undefined;
        this.#residentBytes = 0;
        reject(new ProcessDied(signal ?? `exit code ${code ?? 'unknown'}`, [...hand]));
      };
      const stopListening = (): void => {
        this.#isBusy = false;
        child.off('message', onMessage);
        child.off('exit', onExit);
        child.off('error', onError);
      };
      const onError = (error: Error): void => {
        stopListening();
        reject(error);
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.on('error', onError);
      this.#send(task);
      // Said while the process was still opening its cropper.
      if (task.do === 'crop' && this.#isNoMore) this.#send({ do: 'no more' });
    });
  }
}
