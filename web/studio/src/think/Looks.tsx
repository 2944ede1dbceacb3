import { useState } from 'preact/hooks';
import { percent } from './percent.js';
import { HeatOver, Picture } from './Picture.js';
import type { ShownImage, ThinkEvents } from './trace.js';

const GROUPS = [
  ['names', 'element names'],
  ['coordinates', 'coordinates'],
  ['form', 'rest of the analysis'],
  ['photoInside', 'photo, on elements'],
  ['photoOutside', 'photo, elsewhere'],
  ['secondInside', 'second picture, on elements'],
  ['secondOutside', 'second picture, elsewhere'],
  ['prompts', 'prompts'],
  ['answer', 'its own answer so far'],
] as const;

const WHICH = ['the photo', 'the second picture'] as const;

/** What an answer attends to: which squares of each picture, and which kinds of tokens. */
export function Looks({
  attention: { maps, grid, shares, lifts },
  images,
}: {
  readonly attention: ThinkEvents['attention'];
  readonly images: readonly ShownImage[];
}) {
  const nLayers = maps[0]?.length ?? 0;
  const [layer, setLayer] = useState(-1);
  const shown = maps.filter((layers) => (layers[0]?.length ?? 0) > 0);
  return (
    <div class="looks">
      <h3>Where it looked</h3>
      <label class="inline">
        Layer{' '}
        <input
          type="range"
          min={-1}
          max={nLayers - 1}
          value={layer}
          aria-valuetext={layer < 0 ? 'mean of all layers' : `layer ${String(layer)}`}
          onInput={(event) => setLayer(Number(event.currentTarget.value))}
        />{' '}
        {layer < 0 ? 'mean of all layers' : `layer ${String(layer)}`}
      </label>
      <div class="heats">
        {shown.map((layers, i) => {
          const cells = layer < 0 ? meanOf(layers) : layers[layer]!;
          const image = images[i];
          const share = cells.reduce((sum, value) => sum + value, 0);
          return (
            image && (
              <figure key={i}>
                <Picture src={image.url} alt={`Attention over ${WHICH[i]!}`} size={image}>
                  <HeatOver cells={cells} grid={grid} />
                </Picture>
                <figcaption>
                  {percent(share)} of the attention is on {WHICH[i]}.
                </figcaption>
              </figure>
            )
          );
        })}
      </div>
      {shares && lifts && (
        <table>
          <caption>Mean over the answer’s tokens, layers and heads</caption>
          <thead>
            <tr>
              <th scope="col">attended</th>
              <th scope="col">share</th>
              <th scope="col">a token, against the mean of all</th>
            </tr>
          </thead>
          <tbody>
            {GROUPS.map(([group, text]) => (
              <tr key={group}>
                <th scope="row">{text}</th>
                <td>{percent(shares[group])}</td>
                <td>{lifts[group] === null ? 'none there' : `${lifts[group].toFixed(2)} ×`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function meanOf(layers: readonly (readonly number[])[]): number[] {
  return layers[0]!.map((_, cell) => layers.reduce((sum, cells) => sum + cells[cell]!, 0) / layers.length);
}
