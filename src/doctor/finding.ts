/** What was looked at and what was found. */
export interface Finding {
  /** A word a program can test, e.g. `addon`. */
  readonly check: string;
  /** `problem`: something essential does not work. `note`: something is not in use, and why. */
  readonly status: 'ok' | 'note' | 'warning' | 'problem';
  /** One line. */
  readonly summary: string;
  /** Further lines, each a fact. */
  readonly details?: readonly string[];
  /** What to do, a line each. */
  readonly remedies?: readonly string[];
}
