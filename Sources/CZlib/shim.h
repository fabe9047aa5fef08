#pragma once
#include <string.h>
#include <zlib.h>

// The deflate stream in `source`, without a header, into exactly `size` bytes; 1 if it fits. inflateInit2 is a macro, which Swift does not see.
static inline int nb_inflate(const unsigned char *source, unsigned int length, unsigned char *target, unsigned int size) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    stream.next_in = (unsigned char *)source;
    stream.avail_in = length;
    stream.next_out = target;
    stream.avail_out = size;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return 0;
    int result = inflate(&stream, Z_FINISH);
    int fits = result == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return fits;
}
