// The tests of finding faces, with the optional packages that do it (330 MB). Usage: npm run test:faces
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, testWithPackages } from './test-with-packages.mjs';

const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const packages = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`);
testWithPackages(packages, ['test/faces']);
