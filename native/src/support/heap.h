#pragma once

// Keeps the process small over many photos (bench/memory.mjs). Nothing to do outside glibc.

// Once, before work begins.
void heap_init();

// Gives freed pages back to the system; about a millisecond.
void heap_trim();
