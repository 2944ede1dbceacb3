# For tools that look for this file and for `node-gyp rebuild`; npm runs the install script of package.json, which is the same.
{
  'targets': [
    {
      'target_name': 'framewright',
      'type': 'none',
      'actions': [
        {
          'action_name': 'install',
          'inputs': ['native/install/install.mjs'],
          'outputs': ['<(PRODUCT_DIR)/framewright.json'],
          'action': ['node', 'native/install/install.mjs'],
        },
      ],
    },
  ],
}
