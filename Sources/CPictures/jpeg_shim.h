#pragma once
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

// libjpeg reports errors by a function that must not return, which Swift cannot give it: one call here decodes a whole file
// between memory buffers. Messages go into a buffer, never to standard error.

typedef struct {
    uint32_t width, height;
    // 1 grey, 3 RGB, 4 CMYK as stored.
    int channels;
    // Rows without gaps. Owned by the caller.
    uint8_t *samples;
    char message[JMSG_LENGTH_MAX];
} nb_jpeg_picture;

typedef struct {
    // First, so that libjpeg's pointer to it leads here.
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    char *message;
    int is_short;
} nb_jpeg_failure;

static inline void nb_jpeg_fail(j_common_ptr info) {
    nb_jpeg_failure *failure = (nb_jpeg_failure *)info->err;
    if (!failure->message[0]) failure->errors.format_message(info, failure->message);
    longjmp(failure->escape, 1);
}

// Damaged data is a warning to libjpeg: of these the end of the file is one that leaves a part of the picture grey.
static inline void nb_jpeg_warn(j_common_ptr info, int level) {
    nb_jpeg_failure *failure = (nb_jpeg_failure *)info->err;
    if (level >= 0) return;
    failure->errors.num_warnings++;
    if (failure->errors.msg_code == JWRN_JPEG_EOF) failure->is_short = 1;
}

static inline void nb_jpeg_pass(j_common_ptr info) {
    // A short file can ask for thousands of passes over a large picture; encoders make about ten.
    if (((j_decompress_ptr)info)->input_scan_number > 200) {
        strcpy(((nb_jpeg_failure *)info->err)->message, "it has more than 200 scans");
        nb_jpeg_fail(info);
    }
}

static inline void nb_jpeg_free(nb_jpeg_picture *picture) {
    free(picture->samples);
    picture->samples = NULL;
}

// Decodes a JPEG as Pillow does: the slow integer transform, smooth enlargement of the colours. 0 on success; otherwise `message`
// says why. Call nb_jpeg_free in both cases. `most_pixels` bounds width x height before anything of that size is allocated.
static inline __attribute__((noinline)) int nb_jpeg_read(
    const uint8_t *bytes, size_t count, uint64_t most_pixels, nb_jpeg_picture *out) {
    memset(out, 0, sizeof *out);
    struct jpeg_decompress_struct info;
    struct jpeg_progress_mgr progress;
    nb_jpeg_failure failure;
    memset(&info, 0, sizeof info);
    memset(&progress, 0, sizeof progress);
    info.err = jpeg_std_error(&failure.errors);
    failure.errors.error_exit = nb_jpeg_fail;
    failure.errors.emit_message = nb_jpeg_warn;
    failure.message = out->message;
    failure.is_short = 0;
    if (setjmp(failure.escape)) {
        jpeg_destroy_decompress(&info);
        return 1;
    }
    jpeg_create_decompress(&info);
    progress.progress_monitor = nb_jpeg_pass;
    info.progress = &progress;
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    out->width = info.image_width;
    out->height = info.image_height;
    out->channels = info.num_components;
    if ((uint64_t)out->width * out->height > most_pixels) {
        strcpy(out->message, "the picture is too large");
        nb_jpeg_fail((j_common_ptr)&info);
    }
    switch (out->channels) {
    case 1: info.out_color_space = JCS_GRAYSCALE; break;
    case 3: info.out_color_space = JCS_RGB; break;
    case 4: info.out_color_space = JCS_CMYK; break;
    default:
        snprintf(out->message, sizeof out->message, "it has %d channels", out->channels);
        nb_jpeg_fail((j_common_ptr)&info);
    }
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
    size_t row = (size_t)out->width * out->channels;
    if (!failure.is_short) out->samples = (uint8_t *)malloc(row * out->height);
    while (!failure.is_short && out->samples && info.output_scanline < info.output_height) {
        JSAMPROW line = out->samples + row * info.output_scanline;
        jpeg_read_scanlines(&info, &line, 1);
    }
    if (failure.is_short || !out->samples) {
        strcpy(out->message, failure.is_short ? "the file is cut short" : "out of memory");
        nb_jpeg_fail((j_common_ptr)&info);
    }
    // What may follow the last row is not looked at: a missing end is no damage to the picture.
    jpeg_destroy_decompress(&info);
    return 0;
}
