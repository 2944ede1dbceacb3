import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type PhotoAnswer, type PhotoSummary, type TargetKey } from '../api.js';
import { soon } from '../changes.js';
import { aspectOfTarget, nameOf } from '../targets.js';
import { angleOf, drawnFrom, sizeOf, straightSize, toUpright, type Cut } from './cut.js';
import { gridPath, guidePath } from './guides.js';
import type { Places } from './places.js';
import { grown, moved, resized, type Box, type Handle, type Limits } from '../../../../report/crop-box.js';
import { TurnedPicture } from './TurnedPicture.js';
import { view } from './view.js';

interface EditorProps {
  readonly photo: PhotoSummary;
  readonly answer: PhotoAnswer;
  readonly target: TargetKey;
  readonly cut: Cut;
  /** Lines to see by whether it is straight. */
  readonly isStraightening: boolean;
  /** Not made yet: where one would begin. */
  readonly isMade: boolean;
  readonly places: Signal<Places>;
  /** While the hand moves. */
  readonly onDraft: (box: Box) => void;
  /** Once it has let go. */
  readonly onEdit: (box: Box) => void;
}

const HANDLES: readonly Handle[] = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];

/** Half a finger, or all of a mouse pointer, in pixels of the screen. */
const HANDLE_PX = matchMedia('(pointer: coarse)').matches ? 14 : 7;

/** Keys that follow each other within this are one change. */
const KEYS_MS = 500;

/** The photo with its crop: dragged, resized by its handles, moved by arrow keys. */
export function Editor({
  photo,
  answer,
  target,
  cut: { box, angleDeg },
  isStraightening,
  isMade,
  places,
  onDraft,
  onEdit,
}: EditorProps) {
  const svg = useRef<SVGSVGElement>(null);
  const drawn = useSignal<Box | undefined>(undefined);
  /** How many of the photo's pixels one of the screen shows. */
  const pixel = useSignal(1);
  useEffect(() => {
    const element = svg.current;
    if (!element) return undefined;
    const measure = (): void => {
      pixel.value = 1 / (element.getScreenCTM()?.a ?? 1);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [photo.id, view.value.isAfter, angleDeg]);
  const upright = sizeOf(answer.size);
  const extent = straightSize(upright, angleDeg);
  const aspect = aspectOfTarget(target);
  const limits: Limits = { photo: extent, ...(aspect && { aspect }) };
  const [x1, y1, x2, y2] = box;
  const { guide, isAfter, showsCandidates, hiddenKinds } = view.value;

  /** In pixels of the straight photo. */
  const at = ({ clientX, clientY }: PointerEvent): readonly [number, number] => {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(svg.current!.getScreenCTM()!.inverse());
    return [x, y];
  };

  /** Follows the pointer until it lets go; Escape takes all of it back. */
  const follow = (
    begin: PointerEvent,
    move: (dx: number, dy: number) => void,
    end: (isKept: boolean) => void,
  ): void => {
    begin.preventDefault();
    const element = begin.currentTarget as SVGElement;
    element.setPointerCapture(begin.pointerId);
    const [fromX, fromY] = at(begin);
    const onMove = (event: PointerEvent): void => {
      const [x, y] = at(event);
      move(x - fromX, y - fromY);
    };
    const stop = (isKept: boolean): void => {
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', onCancel);
      removeEventListener('keydown', onKey, true);
      end(isKept);
    };
    const onUp = (): void => stop(true);
    const onCancel = (): void => stop(false);
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      stop(false);
    };
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', onCancel);
    addEventListener('keydown', onKey, true);
  };

  const drag = (event: PointerEvent, change: (dx: number, dy: number) => Box): void => {
    if (event.button !== 0) return;
    event.stopPropagation();
    svg.current!.querySelector<SVGElement>('.crop')!.focus();
    let last = box;
    follow(
      event,
      (dx, dy) => onDraft((last = change(dx, dy))),
      (isKept) => {
        if (!isKept || last.every((edge, i) => edge === box[i])) onDraft(box);
        else onEdit(last);
      },
    );
  };

  /** A click sets the focus; a rectangle that is drawn is kept. */
  const point = (event: PointerEvent): void => {
    const { mode } = places.value;
    if (event.button !== 0 || mode === 'crop') return;
    const start = at(event);
    const [x, y] = toUpright(start, upright, angleDeg);
    const inside = (value: number, most: number): number => Math.round(Math.max(0, Math.min(most, value)));
    if (mode === 'focus') {
      const focus = [inside(x, upright.width - 1), inside(y, upright.height - 1)] as const;
      places.value = { ...places.value, focus, mode: 'crop' };
      return;
    }
    follow(
      event,
      (dx, dy) => {
        const [toX, toY] = toUpright([start[0] + dx, start[1] + dy], upright, angleDeg);
        const xs = [inside(x, upright.width), inside(toX, upright.width)].sort((a, b) => a - b);
        const ys = [inside(y, upright.height), inside(toY, upright.height)].sort((a, b) => a - b);
        drawn.value = [xs[0]!, ys[0]!, xs[1]!, ys[1]!];
      },
      (isKept) => {
        const rectangle = drawn.value;
        drawn.value = undefined;
        if (!isKept || !rectangle || rectangle[2] - rectangle[0] < 2 || rectangle[3] - rectangle[1] < 2) return;
        places.value = { ...places.value, keep: [...places.value.keep, rectangle], mode: 'crop' };
      },
    );
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const way = ARROWS[event.key];
    const by = event.shiftKey ? 10 : 1;
    let next: Box | undefined;
    if (way && (event.ctrlKey || event.altKey || event.metaKey)) {
      next = grown(box, way[0] * by, way[1] * by, limits);
    } else if (way) next = moved(box, way[0] * by, way[1] * by, limits);
    else if (event.key === '+' || event.key === '-') {
      const d = event.key === '+' ? by : -by;
      next = grown(moved(box, -d / 2, -d / 2, limits), d, d, limits);
    }
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onDraft(next);
    soon(() => onEdit(next), KEYS_MS);
  };

  if (isAfter) {
    return (
      <div class="stage">
        <svg class="after" viewBox={`${x1} ${y1} ${x2 - x1} ${y2 - y1}`} role="img" aria-label="the crop as it will be">
          <svg {...rectOf(box)} viewBox={`${x1} ${y1} ${x2 - x1} ${y2 - y1}`}>
            <TurnedPicture photo={photo} upright={upright} angleDeg={angleDeg} />
          </svg>
        </svg>
      </div>
    );
  }
  const unit = HANDLE_PX * pixel.value;
  const { focus, keep, mode } = places.value;
  const result = answer.results[target];
  const candidates = showsCandidates ? (result?.candidates ?? []) : [];
  const seenDeg = answer.turn?.angleDeg ?? 0;
  return (
    <div class="stage">
      <svg
        ref={svg}
        class={`editor mode-${mode}`}
        viewBox={`0 0 ${extent.width} ${extent.height}`}
        onPointerDown={point}
        role="group"
        aria-label={photo.name}
      >
        <svg width={extent.width} height={extent.height}>
          <TurnedPicture photo={photo} upright={upright} angleDeg={angleDeg} />
          <g class="elements" transform={drawnFrom(seenDeg, angleDeg, upright)}>
            <svg
              {...straightSize(upright, seenDeg)}
              viewBox={`0 0 ${answer.drawing.width} ${answer.drawing.height}`}
              preserveAspectRatio="none"
            >
              {answer.elements
                .filter(({ kind }) => !hiddenKinds.has(kind))
                .map(({ kind, guides, strokes }, i) => (
                  // Numbers only, made by the server (src/report/crop-report-data.ts).
                  <g key={`${kind}-${i}`} dangerouslySetInnerHTML={{ __html: guides + strokes }} />
                ))}
            </svg>
          </g>
        </svg>
        <g transform={drawnFrom(angleOf(result), angleDeg, upright)}>
          {candidates.map((candidate, i) => (
            <rect key={i} class="candidate" {...rectOf(candidate.box)} />
          ))}
        </g>
        <path
          class="shade"
          d={`M0 0H${extent.width}V${extent.height}H0ZM${x1} ${y1}V${y2}H${x2}V${y1}Z`}
          pointer-events="none"
        />
        <g transform={drawnFrom(0, angleDeg, upright)}>
          {keep.map((each, i) => (
            <rect key={i} class="keep" {...rectOf(each)} />
          ))}
          {drawn.value && <rect class="keep" {...rectOf(drawn.value)} />}
        </g>
        <g class={isMade ? 'made' : 'proposed'}>
          <rect
            class="crop"
            {...rectOf(box)}
            tabindex={0}
            role="application"
            aria-roledescription="crop"
            aria-label={`crop of ${nameOf(target)}, ${x2 - x1} by ${y2 - y1} pixels at ${x1}, ${y1}; arrow keys move it, with Ctrl they resize it`}
            onPointerDown={(event) => mode === 'crop' && drag(event, (dx, dy) => moved(box, dx, dy, limits))}
            onKeyDown={onKeyDown}
          />
          <path class="guide" d={isStraightening ? gridPath(box) : guidePath(guide, box)} pointer-events="none" />
          {mode === 'crop' &&
            HANDLES.map((handle) => (
              <circle
                key={handle}
                class={`handle ${handle}`}
                cx={handle.includes('w') ? x1 : handle.includes('e') ? x2 : (x1 + x2) / 2}
                cy={handle.includes('n') ? y1 : handle.includes('s') ? y2 : (y1 + y2) / 2}
                r={unit}
                onPointerDown={(event) => drag(event, (dx, dy) => resized(box, handle, dx, dy, limits))}
              />
            ))}
        </g>
        {focus && (
          <path
            class="focus"
            transform={drawnFrom(0, angleDeg, upright)}
            d={`M${focus[0] - unit} ${focus[1]}h${2 * unit}M${focus[0]} ${focus[1] - unit}v${2 * unit}`}
          />
        )}
      </svg>
    </div>
  );
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function rectOf([x1, y1, x2, y2]: readonly [number, number, number, number]) {
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}
