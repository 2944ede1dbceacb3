import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../api.js';
import { attempt, info, tell } from '../store.js';

/** Puts photos into the folder, one after the other; one that is none is told and the others go on. */
async function add(files: readonly File[]): Promise<void> {
  let nAdded = 0;
  for (const file of files) if (await attempt(() => api.add(file))) nAdded++;
  if (nAdded > 0)
    tell(`${nAdded === 1 ? 'One photo was' : `${nAdded} photos were`} added to ${info.value?.folder ?? ''}.`);
}

export function AddPhotos() {
  return (
    <label class="button add">
      Add photos
      <input
        type="file"
        accept="image/*"
        multiple
        onChange={(event) => {
          const input = event.currentTarget;
          void add([...(input.files ?? [])]).then(() => (input.value = ''));
        }}
      />
    </label>
  );
}

/** Photos that are dropped or pasted anywhere on the page. Says whether some are being held over it. */
export function useDroppedPhotos(): Signal<boolean> {
  const isOver = useSignal(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      isOver.value = true;
    };
    const onLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) isOver.value = false;
    };
    const onDrop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      isOver.value = false;
      void add([...(event.dataTransfer?.files ?? [])]);
    };
    const onPaste = (event: ClipboardEvent): void => void add([...(event.clipboardData?.files ?? [])]);
    addEventListener('dragover', onOver);
    addEventListener('dragleave', onLeave);
    addEventListener('drop', onDrop);
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('dragleave', onLeave);
      removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, []);
  return isOver;
}
