import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { goTo } from '../route.js';
import { Cell } from './Cell.js';
import { selection, selectRange, shown, shownTarget, toggle } from './view.js';

const CELL_WIDTH = 176;
const CELL_HEIGHT = 196;
/** Rows kept ready beyond what is seen, so that none is blank while scrolling. */
const ROWS_AHEAD = 3;

/** Where the reader was, for coming back from a photo. */
const place = { scrollTop: 0, active: 0 };

/** All photos that are shown; only those in sight are in the page, so that 5,000 cost no more than 50. */
export function Grid() {
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const scrollTop = useSignal(place.scrollTop);
  const active = useSignal(place.active);

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      size.value = { width: element.clientWidth, height: element.clientHeight };
    };
    measure();
    element.scrollTop = place.scrollTop;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(
    () => () => {
      place.scrollTop = scrollTop.peek();
      place.active = active.peek();
    },
    [],
  );

  const photos = shown.value;
  const columns = Math.max(1, Math.floor(size.value.width / CELL_WIDTH));
  const cellWidth = Math.floor(size.value.width / columns);
  const nRows = Math.ceil(photos.length / columns);
  const first = Math.max(0, Math.floor(scrollTop.value / CELL_HEIGHT) - ROWS_AHEAD);
  const last = Math.min(nRows, Math.ceil((scrollTop.value + size.value.height) / CELL_HEIGHT) + ROWS_AHEAD);
  const from = first * columns;
  const at = Math.min(active.value, photos.length - 1);

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(photos.length - 1, to));
    active.value = next;
    const top = Math.floor(next / columns) * CELL_HEIGHT;
    const element = box.current!;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + CELL_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + CELL_HEIGHT - element.clientHeight;
    }
  };
  const open = (index: number): void =>
    goTo('photo', photos[index]!.id, ...(shownTarget.value ? [shownTarget.value] : []));

  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -columns * Math.max(1, Math.floor(size.value.height / CELL_HEIGHT)),
      PageDown: columns * Math.max(1, Math.floor(size.value.height / CELL_HEIGHT)),
      Home: -photos.length,
      End: photos.length,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      const to = at + step;
      if (event.shiftKey) selectRange(at, Math.max(0, Math.min(photos.length - 1, to)));
      move(to);
    } else if (event.key === 'Enter') open(at);
    else if (event.key === ' ') toggle(photos[at]!.id);
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      selection.value = new Set(photos.map(({ id }) => id));
    } else if (event.key === 'Escape') selection.value = new Set();
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent, index: number): void => {
    const before = at;
    active.value = index;
    if (event.shiftKey) selectRange(before, index);
    else if (event.ctrlKey || event.metaKey || (event.target as Element).closest('.tick')) toggle(photos[index]!.id);
    else open(index);
  };

  return (
    <div
      class="grid"
      ref={box}
      role="listbox"
      aria-label="photos"
      aria-multiselectable="true"
      tabIndex={0}
      aria-activedescendant={`photo-${photos[at]?.id ?? ''}`}
      onScroll={(event) => (scrollTop.value = event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="sheet" role="presentation" style={{ height: `${nRows * CELL_HEIGHT}px` }}>
        {photos.slice(from, last * columns).map((photo, i) => {
          const index = from + i;
          return (
            <Cell
              key={photo.id}
              photo={photo}
              target={shownTarget.value}
              index={index}
              count={photos.length}
              isActive={index === at}
              isSelected={selection.value.has(photo.id)}
              style={{
                width: `${cellWidth}px`,
                height: `${CELL_HEIGHT}px`,
                transform: `translate(${(index % columns) * cellWidth}px, ${Math.floor(index / columns) * CELL_HEIGHT}px)`,
              }}
              onClick={(event) => onClick(event, index)}
            />
          );
        })}
      </div>
    </div>
  );
}
