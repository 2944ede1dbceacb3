import { useEffect } from 'preact/hooks';
import { info, photos } from '../store.js';
import { AddPhotos, useDroppedPhotos } from './AddPhotos.js';
import { Actions } from './Actions.js';
import { Filters } from './Filters.js';
import { Grid } from './Grid.js';
import { Progress } from './Progress.js';
import { shown } from './view.js';

/** The folder as a grid, and what can be done with all of it or with the photos selected. */
export function LibraryPage() {
  const isOver = useDroppedPhotos();
  useEffect(() => {
    document.title = 'Library – Framewright studio';
  }, []);
  const known = info.value;
  return (
    <main class={`library${isOver.value ? ' over' : ''}`}>
      <div class="tools">
        <h1 title={known?.folder}>{folderName(known?.folder)}</h1>
        <AddPhotos />
        <Actions />
        <Filters />
        <Progress />
        {known?.notes.map((note) => (
          <p class="note" key={note}>
            {note}
          </p>
        ))}
      </div>
      {known && photos.value.length === 0 ? (
        <p class="empty">No photo is here yet: drop some on this page, paste one, or choose files.</p>
      ) : known && shown.value.length === 0 ? (
        <p class="empty">No photo is like that.</p>
      ) : (
        <Grid />
      )}
    </main>
  );
}

function folderName(folder: string | undefined): string {
  return folder?.split(/[\\/]/).findLast((part) => part !== '') ?? 'Photos';
}
