// The command can be started by its own name. npm sees to that when it links a package, and npx only the first time it meets a
// checkout: built anew after that, the command would be denied.
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { bin } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
for (const file of Object.values(bin)) chmodSync(path.join(root, file), 0o755);
