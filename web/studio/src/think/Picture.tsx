import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ThinkEvents } from './trace.js';

type Box = readonly [number, number, number, number];

export interface PhotoExtent {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A picture of a photo with drawings over it. */
export function Picture({
  src,
  alt,
  size,
  children,
}: {
  readonly src: string;
  readonly alt: string;
  readonly size: PhotoExtent;
  readonly children?: ComponentChildren;
}) {
  const ratio = size.widthPx / size.heightPx;
  return (
    <div class="picture" style={{ aspectRatio: String(ratio), maxWidth: `min(100%, ${String(75 * ratio)}vh)` }}>
      <img src={src} alt={alt} />
      {children}
    </div>
  );
}

/** The composition; its strokes are markup the server made of numbers. */
export function ElementsOver({ drawn }: { readonly drawn: Pick<ThinkEvents['elements'], 'elements' | 'drawing'> }) {
  const { drawing, elements } = drawn;
  return (
    <svg class="over" viewBox={`0 0 ${String(drawing.width)} ${String(drawing.height)}`} aria-hidden="true">
      {elements.map(({ guides, strokes }, i) => (
        <g key={i} dangerouslySetInnerHTML={{ __html: guides + strokes }} />
      ))}
    </svg>
  );
}

/**
 * Crops in photo pixels; the best one stands out, and what is around it is dimmed. Many begin in one corner: each number
 * has a place of its own along the edge.
 */
export function BoxesOver({
  boxes,
  best,
  size,
  isNumbered = boxes.length > 1,
}: {
  readonly boxes: readonly Box[];
  readonly best?: number | undefined;
  readonly size: PhotoExtent;
  readonly isNumbered?: boolean;
}) {
  const { widthPx, heightPx } = size;
  const unit = Math.max(widthPx, heightPx) / 100;
  const chosen = best === undefined ? undefined : boxes[best];
  return (
    <svg class="over" viewBox={`0 0 ${String(widthPx)} ${String(heightPx)}`} aria-hidden="true">
      {chosen && (
        <path
          class="dim"
          fill-rule="evenodd"
          d={`M0 0H${String(widthPx)}V${String(heightPx)}H0ZM${String(chosen[0])} ${String(chosen[1])}H${String(chosen[2])}V${String(chosen[3])}H${String(chosen[0])}Z`}
        />
      )}
      {boxes.map(([x1, y1, x2, y2], i) => (
        <g key={i} class={i === best ? 'box best' : 'box'}>
          <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} class="casing" />
          <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
          {isNumbered && (
            <text x={x1 + (1 + 4 * i) * unit} y={y1 + 5 * unit} font-size={5 * unit}>
              {i + 1}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

/** How much each square of an image is attended to, from the least to the most. */
export function HeatOver({
  cells,
  grid,
}: {
  readonly cells: readonly number[];
  readonly grid: { readonly width: number; readonly height: number };
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const [least, most] = [Math.min(...cells), Math.max(...cells)];
    const image = context.createImageData(grid.width, grid.height);
    cells.forEach((value, i) => {
      const share = most > least ? (value - least) / (most - least) : 0;
      image.data.set([255, 64 + 150 * share, 0, 230 * share], 4 * i);
    });
    context.putImageData(image, 0, 0);
  }, [cells, grid]);
  return <canvas class="over heat" ref={canvas} width={grid.width} height={grid.height} aria-hidden="true" />;
}
