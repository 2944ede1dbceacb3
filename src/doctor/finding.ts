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
  /** Of what only those install who want what it is for: that it is missing is nothing to mend. */
  readonly isOptional?: true;
}
