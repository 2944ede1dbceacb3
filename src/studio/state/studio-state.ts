import type { LinePlace } from '../../files/checked-log.js';
import type { EditHistory, TargetKey } from '../api.js';
import { engineCropOf, type PhotoCrops, type TargetCrops } from './photo-crops.js';
import type { OwnCrop, StudioRecord } from './records.js';

interface Edit {
  readonly photo: string;
  readonly target: TargetKey;
  readonly before: OwnCrop | undefined;
  readonly after: OwnCrop | undefined;
}

/**
 * What stands after a list of records, applied one by one: the crops of every photo (by its name below the folder), and
 * what can be undone. The log holds the records; this holds what they come to.
 */
export class StudioState {
  readonly #photos = new Map<string, Map<TargetKey, TargetCrops>>();
  readonly #edits: Edit[] = [];
  /** Edits that stand; those after them are undone. */
  #nStanding = 0;

  /**
   * @param at where the record stands in the log
   * @returns the photo it changed, if any
   */
  apply(record: StudioRecord, at: LinePlace): string | undefined {
    switch (record.what) {
      case 'cropped':
        return this.#change(record.photo, record.target, { engine: engineCropOf(record.result, at) });
      case 'saved':
        return this.#change(record.photo, record.target, {
          saved: { box: record.box, angleDeg: record.straighten ?? 0, files: record.files },
        });
      case 'edit': {
        const { photo, target } = record;
        const after = record.crop ?? undefined;
        this.#edits.splice(this.#nStanding, Infinity, { photo, target, before: this.own(photo, target), after });
        this.#nStanding++;
        return this.#setOwn(photo, target, after);
      }
      case 'undo': {
        const edit = this.#edits[this.#nStanding - 1];
        if (!edit) return undefined;
        this.#nStanding--;
        return this.#setOwn(edit.photo, edit.target, edit.before);
      }
      case 'redo': {
        const edit = this.#edits[this.#nStanding];
        if (!edit) return undefined;
        this.#nStanding++;
        return this.#setOwn(edit.photo, edit.target, edit.after);
      }
    }
  }

  cropsOf(photo: string): PhotoCrops {
    return this.#photos.get(photo) ?? NO_CROPS;
  }

  own(photo: string, target: TargetKey): OwnCrop | undefined {
    return this.#photos.get(photo)?.get(target)?.own;
  }

  /** @param idOf how the page calls a photo */
  history(idOf: (photo: string) => string): EditHistory {
    const undo = this.#edits[this.#nStanding - 1];
    const redo = this.#edits[this.#nStanding];
    const named = ({ photo, target }: Edit): { photo: string; target: TargetKey } => ({ photo: idOf(photo), target });
    return { ...(undo && { undo: named(undo) }), ...(redo && { redo: named(redo) }) };
  }

  #setOwn(photo: string, target: TargetKey, own: OwnCrop | undefined): string {
    const { own: _, ...rest } = this.#photos.get(photo)?.get(target) ?? {};
    return this.#set(photo, target, own ? { ...rest, own } : rest);
  }

  #change(photo: string, target: TargetKey, change: Partial<TargetCrops>): string {
    return this.#set(photo, target, { ...this.#photos.get(photo)?.get(target), ...change });
  }

  #set(photo: string, target: TargetKey, crops: TargetCrops): string {
    const all = this.#photos.get(photo) ?? new Map<TargetKey, TargetCrops>();
    all.set(target, crops);
    this.#photos.set(photo, all);
    return photo;
  }
}

const NO_CROPS: PhotoCrops = new Map();
