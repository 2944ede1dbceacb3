/** Tags by EXIF 2.32 and TIFF 6.0. */
export const TAG = {
  imageWidth: 0x0100,
  imageLength: 0x0101,
  compression: 0x0103,
  make: 0x010f,
  model: 0x0110,
  orientation: 0x0112,
  /** JPEGInterchangeFormat and its length: the thumbnail. */
  thumbnailOffset: 0x0201,
  thumbnailLength: 0x0202,
  exifIfd: 0x8769,
  gpsIfd: 0x8825,
  dateTimeOriginal: 0x9003,
  subSecTimeOriginal: 0x9291,
  interopIfd: 0xa005,
  makerNote: 0x927c,
  pixelXDimension: 0xa002,
  pixelYDimension: 0xa003,
  /** The main subject: a point, a circle or a rectangle, in pixels of the stored image. */
  subjectArea: 0x9214,
  subjectLocation: 0xa214,
} as const;
