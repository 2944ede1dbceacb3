import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { projectFile } from '../support/photos.js';

// npx links a checkout once and makes its command executable then; a build after that has to leave it so.
test.skipIf(process.platform === 'win32')('the built command starts by its own name, as npx starts it', () => {
  const version = execFileSync(projectFile('dist', 'src', 'cli', 'main.js'), ['--version'], { encoding: 'utf8' });
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});
