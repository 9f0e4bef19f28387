#pragma once
#include <zlib.h>

// inflateInit2 is a macro. 16 on top of the window's size asks for a gzip header and trailer, a negative one for neither.
static inline int zlib_begin_gunzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
static inline int zlib_begin_inflate(z_stream *stream) { return inflateInit2(stream, -15); }

// deflateInit2 is a macro. 16 on top of the window's size asks for a gzip header and trailer.
static inline int zlib_begin_gzip(z_stream *stream) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                      Z_DEFAULT_STRATEGY);
}
