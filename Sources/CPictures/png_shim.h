#pragma once
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

// libpng reports errors by longjmp, which Swift cannot cross: one call here reads or writes a whole file between memory buffers.
// Messages go into a buffer, never to standard error.

typedef struct {
    uint32_t width, height;
    int depth, colour, interlace;
    // Rows of samples as stored, one byte per sample for depths up to 8, two (big-endian) for 16. Owned by the caller.
    uint8_t *samples;
    size_t row_bytes;
    int palette_count;
    uint8_t palette[768];
    int alpha_count;
    uint8_t palette_alpha[256];
    int has_key;
    uint16_t key[3];
    // Text chunks: for each a byte 1 for UTF-8 or 0 for Latin-1, the key, a zero byte, the text, a zero byte. Owned by the caller.
    uint8_t *text;
    size_t text_bytes;
    char message[160];
} nb_png_picture;

typedef struct {
    const uint8_t *bytes;
    size_t count, place;
    // Set when a read began exactly at the end: nothing is missing but whole chunks.
    int ended_between;
    char *message;
} nb_png_source;

typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
    char *message;
} nb_png_sink;

static inline void nb_png_keep(char *message, const char *text) {
    strncpy(message, text, 159);
    message[159] = 0;
}

// The first warning tells the details that the error then leaves out ("Image width is zero in IHDR").
static inline void nb_png_warning(png_structp png, png_const_charp text) {
    char *message = (char *)png_get_error_ptr(png);
    if (!message[0]) nb_png_keep(message, text);
}

static inline void nb_png_error(png_structp png, png_const_charp text) {
    char *message = (char *)png_get_error_ptr(png);
    size_t used = strlen(message);
    if (used > 0 && used + strlen(text) < 150) {
        strcat(message, "; ");
        strcat(message, text);
    } else {
        nb_png_keep(message, text);
    }
    longjmp(*png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf)), 1);
}

static inline void nb_png_fetch(png_structp png, png_bytep out, size_t count) {
    nb_png_source *source = (nb_png_source *)png_get_io_ptr(png);
    if (count > source->count - source->place) {
        source->ended_between = source->place == source->count;
        png_error(png, "the file is cut short");
    }
    memcpy(out, source->bytes + source->place, count);
    source->place += count;
}

static inline void nb_png_free(nb_png_picture *picture) {
    free(picture->samples);
    free(picture->text);
    picture->samples = NULL;
    picture->text = NULL;
}

// Text chunks of the file; leaves them out when memory is short.
static inline void nb_png_take_text(png_structp png, png_infop info, nb_png_picture *out) {
    png_textp texts = NULL;
    int count = 0;
    size_t size = 0;
    png_get_text(png, info, &texts, &count);
    for (int i = 0; i < count; i++)
        if (texts[i].key && texts[i].text) size += strlen(texts[i].key) + strlen(texts[i].text) + 3;
    if (size == 0) return;
    uint8_t *place = out->text = (uint8_t *)malloc(size);
    if (!place) return;
    out->text_bytes = size;
    for (int i = 0; i < count; i++) {
        if (!texts[i].key || !texts[i].text) continue;
        size_t key = strlen(texts[i].key) + 1, text = strlen(texts[i].text) + 1;
        *place++ = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
        memcpy(place, texts[i].key, key);
        memcpy(place + key, texts[i].text, text);
        place += key + text;
    }
}

// Reads a PNG. 0 on success; otherwise `message` says why. Call nb_png_free in both cases.
// `most_pixels` bounds width x height before anything of that size is allocated.
static inline __attribute__((noinline)) int nb_png_read(const uint8_t *bytes, size_t count, uint64_t most_pixels, nb_png_picture *out) {
    memset(out, 0, sizeof *out);
    nb_png_source source = { bytes, count, 0, 0, out->message };
    // volatile: read after longjmp
    volatile int all_rows = 0;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, out->message, nb_png_error, nb_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        nb_png_keep(out->message, "out of memory");
        return 1;
    }
    if (setjmp(*png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf)))) {
        // Everything was read and only the closing chunk is missing: as complete as the picture can be.
        int complete = all_rows && source.ended_between;
        if (complete) nb_png_take_text(png, info, out);
        png_destroy_read_struct(&png, &info, NULL);
        return !complete;
    }
    png_set_read_fn(png, &source, nb_png_fetch);
    // libpng's own limit of a million is for width and height each; the product is checked below.
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_read_info(png, info);
    out->width = png_get_image_width(png, info);
    out->height = png_get_image_height(png, info);
    out->depth = png_get_bit_depth(png, info);
    out->colour = png_get_color_type(png, info);
    out->interlace = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    if ((uint64_t)out->width * out->height > most_pixels) png_error(png, "the picture is too large");

    png_colorp palette = NULL;
    if (png_get_PLTE(png, info, &palette, &out->palette_count)) {
        for (int i = 0; i < out->palette_count && i < 256; i++) {
            out->palette[3 * i] = palette[i].red;
            out->palette[3 * i + 1] = palette[i].green;
            out->palette[3 * i + 2] = palette[i].blue;
        }
    }
    png_bytep alpha = NULL;
    png_color_16p key = NULL;
    int alphas = 0;
    if (png_get_tRNS(png, info, &alpha, &alphas, &key)) {
        if (out->colour == PNG_COLOR_TYPE_PALETTE && alpha) {
            out->alpha_count = alphas < 256 ? alphas : 256;
            memcpy(out->palette_alpha, alpha, out->alpha_count);
        } else if (key) {
            out->has_key = 1;
            int grey = out->colour == PNG_COLOR_TYPE_GRAY;
            out->key[0] = grey ? key->gray : key->red;
            out->key[1] = grey ? key->gray : key->green;
            out->key[2] = grey ? key->gray : key->blue;
        }
    }

    png_set_packing(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    out->row_bytes = png_get_rowbytes(png, info);
    // Deflate shrinks at most 1032-fold, so a short file cannot hold many rows (packed samples: 8 to a byte at most).
    if ((uint64_t)out->row_bytes * out->height / 8 / 1032 > (uint64_t)count) png_error(png, "the file is cut short: too few bytes for its size");
    out->samples = (uint8_t *)calloc(out->height, out->row_bytes);
    if (!out->samples) png_error(png, "out of memory");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < out->height; y++) png_read_row(png, out->samples + (size_t)y * out->row_bytes, NULL);
    all_rows = 1;
    png_read_end(png, info);
    nb_png_take_text(png, info, out);
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
}

static inline void nb_png_store(png_structp png, png_bytep bytes, size_t count) {
    nb_png_sink *sink = (nb_png_sink *)png_get_io_ptr(png);
    if (sink->capacity - sink->count < count) {
        size_t capacity = sink->capacity * 2 + count + 4096;
        uint8_t *grown = (uint8_t *)realloc(sink->bytes, capacity);
        if (!grown) png_error(png, "out of memory");
        sink->bytes = grown;
        sink->capacity = capacity;
    }
    memcpy(sink->bytes + sink->count, bytes, count);
    sink->count += count;
}

static inline void nb_png_flush(png_structp png) { (void)png; }

// One text chunk to write: tEXt where `international` is 0 (both Latin-1), else iTXt (`text` UTF-8).
typedef struct {
    const char *key, *text;
    int international;
} nb_png_note;

// Writes 8-bit RGB (3 channels) or RGBA (4) with a fixed compression level and filter choice. 0 on success, and `*out` is owned by the caller;
// otherwise `message`, of 160 characters, says why.
static inline __attribute__((noinline)) int nb_png_write(
    const uint8_t *samples, uint32_t width, uint32_t height, int channels, const nb_png_note *notes, int note_count,
    uint8_t **out, size_t *out_count, char *message) {
    message[0] = 0;
    nb_png_sink sink = { NULL, 0, 0, message };
    nb_png_sink *volatile place = &sink;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, nb_png_error, nb_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        nb_png_keep(message, "out of memory");
        return 1;
    }
    if (setjmp(*png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf)))) {
        png_destroy_write_struct(&png, &info);
        free(place->bytes);
        return 1;
    }
    png_set_write_fn(png, &sink, nb_png_store, nb_png_flush);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_compression_level(png, 6);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
    png_set_IHDR(png, info, width, height, 8, channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < note_count; i++) {
        png_text text;
        memset(&text, 0, sizeof text);
        text.compression = notes[i].international ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
        text.key = (png_charp)notes[i].key;
        text.text = (png_charp)notes[i].text;
        text.text_length = notes[i].international ? 0 : strlen(notes[i].text);
        text.itxt_length = notes[i].international ? strlen(notes[i].text) : 0;
        png_set_text(png, info, &text, 1);
    }
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, (png_bytep)(samples + (size_t)y * width * channels));
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    *out = sink.bytes;
    *out_count = sink.count;
    return 0;
}
