#include "heap.h"

#include <cstdlib>  // defines __GLIBC__ where it is glibc

#ifdef __GLIBC__
#    include <malloc.h>
#endif

void heap_init() {
#ifdef __GLIBC__
    // Otherwise glibc keeps large blocks in its arenas once it has seen a few come and go. This is its own starting value.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

void heap_trim() {
#ifdef __GLIBC__
    // Each thread that decodes, draws or infers has an arena, and what one of them frees the others cannot use.
    malloc_trim(0);
#endif
}
