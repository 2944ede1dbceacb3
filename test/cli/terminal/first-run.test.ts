import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { testWith } from '../../support/system-tools.js';
import { framewright } from '../run.js';

testWith(['script'], 'which model crops, and where larger ones are, is told once and to a person', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'framewright-first-run-'));
  try {
    const env = { ...process.env, XDG_CACHE_HOME: cache };
    const args = ['--dry-run', examplePhoto('dogs')];
    const command = [process.execPath, projectFile('dist', 'src', 'cli', 'main.js')];
    const shown = (...more: string[]): string => {
      const quoted = [...command, ...more, ...args].map((word) => `'${word}'`).join(' ');
      return execFileSync('script', ['-qec', quoted, '/dev/null'], { env, encoding: 'utf8' });
    };
    const hint = 'cropping with the bundled model nano; "framewright model list" names larger ones';
    expect((await framewright(args, { env })).stderr).not.toContain(hint);
    expect(shown('--engine', 'centre')).not.toContain(hint);
    expect(shown()).toContain(hint);
    expect(shown()).not.toContain(hint);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
