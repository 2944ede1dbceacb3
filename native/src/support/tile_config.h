// Read before every file of ggml's CPU backend that an affected GCC compiles. Its _tile_loadconfig tells the compiler that
// only 8 of the 64 bytes are read (GCC bug 114098), so ggml's configuration loses its rows and columns as dead stores, and
// the first quantised matrix multiplied on a CPU with AMX dies of an illegal instruction.
#pragma once

#if defined(__AMX_TILE__)
#    include <immintrin.h>

static inline void tile_loadconfig_whole(const void * config) {
    __asm__ volatile("ldtilecfg %0" ::"m"(*(const char (*)[64]) config));
}

#    define _tile_loadconfig tile_loadconfig_whole
#endif
