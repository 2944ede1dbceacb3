import { answersAttention } from '../../attention/answer-attention.js';
import type { Condition } from '../../attention/photo-attention.js';
import { TOKEN_GROUPS, type TokenGroup } from '../../attention/token-groups.js';
import { defined } from '../../base/defined.js';
import type { Size } from '../../base/geometry.js';
import type { CropResult, Element } from '../../base/schema.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { HeldCropOptions } from '../../cropper/options.js';
import type { ConversationPart } from '../../engines/engine.js';
import type { FrameImage } from '../../engines/frame-image.js';
import type { Thought, ThoughtStage, TokenChoice } from '../../engines/thought.js';
import { KIND_COLOURS } from '../../photo/overlay/palette.js';
import { sharp } from '../../photo/vips.js';
import { drawElements } from '../../report/crop-report-data.js';
import type { ThinkEvents, ToldChoice } from './api.js';

export interface ThinkOptions {
  readonly wishes: Pick<HeldCropOptions, 'aspect' | 'candidates' | 'votes' | 'minSize'>;
  readonly condition: Condition;
  readonly attention: boolean;
  readonly signal: AbortSignal;
}

export type TellEvent = <Name extends keyof ThinkEvents>(name: Name, data: ThinkEvents[Name]) => void;

/** Crops a photo, telling what the model is shown, asked and says as it does; an engine without a model tells what it finds. */
export async function think(cropper: Cropper, path: string, options: ThinkOptions, tell: TellEvent): Promise<void> {
  const { condition, wishes, signal } = options;
  const teller = new EventTeller(condition, tell);
  if (!cropper.model) {
    const result = await cropper.crop(path, { ...wishes, onThought: (thought) => teller.take(thought), signal });
    teller.photo = { width: result.photo.widthPx, height: result.photo.heightPx };
    await teller.end(result);
    return;
  }
  const { result, parts } = await cropHeld(cropper, path, options, teller);
  await teller.end(result);
  if (!options.attention) return;
  const stages = [...teller.answered];
  await using held = await cropper.hold(path, { signal });
  for await (const { grid, attention } of answersAttention(held, parts, result.analysis, signal)) {
    const stage = stages.shift()!;
    tell('attention', { condition, stage, grid, maps: rounded(attention.maps), ...sharesOf(stage, attention.mean) });
  }
}

/**
 * Held for as long as the crop takes: what a held photo has in the model's cache is what other photos, whose turn comes
 * next, may need. What is looked at afterwards needs no place there.
 */
async function cropHeld(
  cropper: Cropper,
  path: string,
  { condition, wishes, signal }: ThinkOptions,
  teller: EventTeller,
): Promise<{ readonly result: CropResult; readonly parts: readonly ConversationPart[] }> {
  await using held = await cropper.hold(path, { signal });
  teller.photo = { width: held.widthPx, height: held.heightPx };
  let parts: readonly ConversationPart[] = [];
  const result = await held.crop({
    ...wishes,
    ...(condition === 'plain' ? { without: ['enhancement'] } : {}),
    onThought: (thought) => teller.take(thought),
    onConversation: (said) => (parts = said),
    signal,
  });
  return { result, parts };
}

/** Digits beyond what can be seen would be most of what is sent. */
function rounded(maps: readonly (readonly (readonly number[])[])[]): number[][][] {
  return maps.map((layers) => layers.map((cells) => cells.map((value) => Number(value.toPrecision(3)))));
}

/** Groups are told apart where the conversation has a composition and nothing else before the answer. */
function sharesOf(
  stage: ThoughtStage,
  mean: Readonly<Record<TokenGroup, { readonly share: number; readonly lift: number | null }>>,
): Pick<ThinkEvents['attention'], 'shares' | 'lifts'> {
  if (stage !== 'propose') return {};
  const of = <T>(read: (group: TokenGroup) => T): Record<TokenGroup, T> =>
    Object.fromEntries(TOKEN_GROUPS.map((group) => [group, read(group)])) as Record<TokenGroup, T>;
  return { shares: of((group) => mean[group].share), lifts: of((group) => mean[group].lift) };
}

/** Thoughts as events, in their order, though pictures take a moment to be encoded. */
class EventTeller {
  /** Stages in which something was said, in order. */
  readonly answered = new Set<ThoughtStage>();
  /** Its elements are drawn once this is known. */
  photo: Size | undefined;
  readonly #condition: Condition;
  readonly #tell: TellEvent;
  #last: Promise<void> = Promise.resolve();
  #undrawn: readonly Element[] = [];

  constructor(condition: Condition, tell: TellEvent) {
    this.#condition = condition;
    this.#tell = tell;
  }

  take(thought: Thought): void {
    // Further votes are asked the same with the candidates in another order; the answer is in the first.
    if ('vote' in thought && thought.vote > 0) return;
    if (thought.kind === 'token') this.answered.add(thought.stage);
    this.#last = this.#last.then(() => this.#send(thought));
    this.#last.catch(() => undefined); // whoever ends hears of it
  }

  /** Resolves once all is told. */
  async end(result: CropResult): Promise<void> {
    await this.#last;
    if (this.#undrawn.length > 0) this.#tellElements(this.#undrawn);
    this.#tell('result', { condition: this.#condition, result });
  }

  #tellElements(found: readonly Element[]): void {
    if (!this.photo) {
      this.#undrawn = found;
      return;
    }
    const { drawing, elements } = drawElements(found, this.photo);
    const coloured = elements.map((element) => ({ ...element, colour: KIND_COLOURS[element.kind] }));
    this.#tell('elements', { condition: this.#condition, drawing, elements: coloured });
  }

  async #send(thought: Thought): Promise<void> {
    const condition = this.#condition;
    const { stage } = thought;
    switch (thought.kind) {
      case 'stage':
        this.#tell('stage', { condition, stage });
        break;
      case 'image': {
        const { width: widthPx, height: heightPx } = thought.image.frame;
        const webp = (await webpOf(thought.image)).toString('base64');
        this.#tell('image', { condition, stage, isEnhanced: thought.isEnhanced, widthPx, heightPx, webp });
        break;
      }
      case 'prompt':
        this.#tell('prompt', { condition, stage, text: thought.text });
        break;
      case 'token':
        this.#tell('token', {
          ...{ condition, stage, text: thought.text },
          ...defined({ choice: thought.choice && toldChoice(thought.choice) }),
        });
        break;
      case 'elements':
        this.#tellElements(thought.elements);
        break;
      case 'candidates':
        this.#tell('candidates', { condition, boxes: thought.boxes, ...defined({ photo: this.photo }) });
        break;
      case 'decision':
        this.#tell('decision', { condition, best: thought.best, probabilities: thought.probabilities });
    }
  }
}

/** As many of a token's options as a glance takes in. */
const MOST_OPTIONS = 12;

function toldChoice({ probability, options }: TokenChoice): ToldChoice {
  if (!options) return { probability };
  return { probability, options: options.slice(0, MOST_OPTIONS), nOptions: options.length };
}

function webpOf({ rgb, frame: { width, height } }: FrameImage): Promise<Buffer> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .webp({ lossless: true, effort: 0 })
    .toBuffer();
}
