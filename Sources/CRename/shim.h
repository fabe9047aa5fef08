// Two names that change places in one step: not POSIX, so the C library hides it from Swift behind a feature macro, or has another name for it.
#pragma once
#if defined(__linux__)
extern int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
// AT_FDCWD, RENAME_EXCHANGE
static inline int nb_exchange(const char *a, const char *b) { return renameat2(-100, a, -100, b, 1u << 1); }
#else
#include <stdio.h>
static inline int nb_exchange(const char *a, const char *b) { return renamex_np(a, b, RENAME_SWAP); }
#endif
