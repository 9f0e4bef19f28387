#pragma once
#include <malloc.h>
#include <turbojpeg.h>

/* Gives the pages of freed memory back: libjpeg takes its tables and coefficients from the heap. */
static inline void jpeg_shim_trim_heap(void) { malloc_trim(0); }
