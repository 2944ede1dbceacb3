/** Output sizes in pixels by where a picture goes. */
export const PRESETS: Readonly<Record<string, string>> = {
  'instagram-portrait': '1080x1350',
  'instagram-square': '1080x1080',
  'instagram-landscape': '1080x566',
  story: '1080x1920',
  'youtube-thumbnail': '1280x720',
  'link-preview': '1200x630',
  'pinterest-pin': '1000x1500',
  'x-post': '1600x900',
  'hd-wallpaper': '1920x1080',
  '4k-wallpaper': '3840x2160',
};
