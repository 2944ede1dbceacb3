// The one way down: a folder imports only what stands below it. `npm run lint` fails on the first import against it.

/** Folders of src/ by layer, the lowest first; those of one layer do not know each other. */
const LAYERS = [
  ['base'],
  ['files'],
  ['photo'],
  ['runtime'],
  ['model', 'engines', 'faces', 'report'],
  ['vlm', 'retrieval', 'registration'],
  ['crop'],
  ['cropper'],
  ['batch', 'eval', 'attention', 'doctor'],
  ['train', 'server', 'fleet'],
  ['studio'],
  ['cli'],
];

const pathOf = (folders) => `^src/(${folders.join('|')})/`;

const upward = LAYERS.flatMap((layer, i) =>
  layer.map((folder) => {
    const allowed = [folder, ...LAYERS.slice(0, i).flat()];
    return {
      name: `${folder}-imports-only-what-is-below`,
      severity: 'error',
      from: { path: pathOf([folder]) },
      to: { path: '^src/', pathNot: pathOf(allowed) },
    };
  }),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...upward,
    {
      name: 'gguf-stands-alone',
      comment: 'gguf is a library of its own',
      severity: 'error',
      from: { path: '^gguf/' },
      to: { path: '^(src|training|native)/' },
    },
    {
      name: 'formats-import-only-base',
      comment: 'containers know bytes, not photos',
      severity: 'error',
      from: { path: '^src/photo/formats/' },
      to: { path: '^(src|gguf)/', pathNot: '^src/(base|photo/formats)/' },
    },
    {
      name: 'product-imports-no-training',
      severity: 'error',
      from: { path: '^(src|gguf)/' },
      to: { path: '^(training|scripts|test|bench)/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
