/** How a crop is moved and resized; the page holds the module under this name. */
declare const cropBox: typeof import('../crop-box.js');
