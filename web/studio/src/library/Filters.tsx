import { nameOf } from '../targets.js';
import { counts, filter, FILTERS, order, shownTarget, targets, words, type Order } from './view.js';

/** Which photos are shown, in what order, and which of their crops. */
export function Filters() {
  return (
    <div class="filters">
      <div class="chips" role="group" aria-label="show">
        {FILTERS.filter(({ name }) => name === 'all' || name === filter.value || counts.value.get(name)! > 0).map(
          ({ name, text }) => (
            <button key={name} type="button" aria-pressed={filter.value === name} onClick={() => (filter.value = name)}>
              {text} <small>{counts.value.get(name)}</small>
            </button>
          ),
        )}
      </div>
      <label>
        <span>Order</span>
        <select value={order.value} onChange={(event) => (order.value = event.currentTarget.value as Order)}>
          <option value="name">by name</option>
          <option value="unsure">unsure ones first</option>
          <option value="newest">newest first</option>
        </select>
      </label>
      {targets.value.length > 1 && (
        <label>
          <span>Crops</span>
          <select
            value={shownTarget.value ?? ''}
            onChange={(event) => (shownTarget.value = event.currentTarget.value || undefined)}
          >
            <option value="">the first of each</option>
            {targets.value.map((target) => (
              <option key={target} value={target}>
                {nameOf(target)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>Name</span>
        <input type="search" value={words.value} onInput={(event) => (words.value = event.currentTarget.value)} />
      </label>
    </div>
  );
}
