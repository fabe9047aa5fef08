// What the C library hides from Swift behind feature macros, or has other names for: two names that change places in one step, copies that share their
// blocks, where a fault was.
#pragma once
#include <signal.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <sys/vfs.h>
// The kind of file system, by its magic number.
static inline unsigned long nb_file_system(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (unsigned long)status.f_type & 0xffffffffu : 0;
}
extern int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
extern int ioctl(int descriptor, unsigned long request, ...);
extern long copy_file_range(int from, long *from_place, int to, long *to_place, unsigned long count, unsigned int flags);
// AT_FDCWD, RENAME_EXCHANGE
static inline int nb_exchange(const char *a, const char *b) { return renameat2(-100, a, -100, b, 1u << 1); }
// FICLONE
static inline int nb_clone(int from, int to) { return ioctl(to, 0x40049409ul, from); }
static inline long nb_copy_range(int from, int to, unsigned long count) { return copy_file_range(from, 0, to, 0, count, 0); }
static inline int nb_anonymous(void) { return 0x20; }
#else
#include <stdio.h>
static inline unsigned long nb_file_system(const char *path) { return 0; }
static inline int nb_exchange(const char *a, const char *b) { return renamex_np(a, b, RENAME_SWAP); }
static inline int nb_clone(int from, int to) { return -1; }
static inline long nb_copy_range(int from, int to, unsigned long count) { return -1; }
static inline int nb_anonymous(void) { return MAP_ANON; }
#endif
static inline void *nb_fault_address(siginfo_t *information) { return information ? information->si_addr : 0; }
