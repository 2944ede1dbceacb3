import sharp from 'sharp';

/**
 * libvips caches operations for inputs it meets again; every photo here is a buffer of its own, so it would only hold
 * memory. Cropping one 16 MP JPEG 40 times over ended at 1.65 GB resident with that cache and at 0.85 GB without (Linux,
 * glibc 2.36).
 */
sharp.cache(false);

export { sharp };
