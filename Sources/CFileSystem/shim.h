// What the C library hides from Swift behind feature macros, has other names for, or does not have: opening beneath a folder, two names that change
// places in one step, copies that share their blocks, where a fault was.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <sys/vfs.h>
extern int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
extern int ioctl(int descriptor, unsigned long request, ...);
extern long copy_file_range(int from, long *from_place, int to, long *to_place, unsigned long count, unsigned int flags);
extern long syscall(long number, ...);
// openat2(2), which the C library has no function for: `path` is resolved beneath the folder, ".." and links included, and never by the links of /proc;
// with `no_links` any link is refused. ENOSYS before Linux 5.6.
static inline int nb_open_beneath(int folder, const char *path, int flags, unsigned int mode, int no_links) {
    struct { unsigned long long flags, mode, resolve; } how = {(unsigned int)flags, mode, 0x08 | 0x02 | (no_links ? 0x04 : 0)};
    return (int)syscall(437, folder, path, &how, sizeof how);
}
// The same from anywhere, but without any link.
static inline int nb_open_linkless(const char *path, int flags, unsigned int mode) {
    struct { unsigned long long flags, mode, resolve; } how = {(unsigned int)flags, mode, 0x04};
    return (int)syscall(437, -100, path, &how, sizeof how);
}
// O_PATH: a name that can be asked for, without opening what it names.
static inline int nb_name_only(void) { return 0x200000; }
// The kind of file system, by its magic number.
static inline unsigned long nb_file_system(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 ? (unsigned long)status.f_type & 0xffffffffu : 0;
}
// RENAME_EXCHANGE
static inline int nb_exchange(int folder, const char *a, const char *b) { return renameat2(folder, a, folder, b, 1u << 1); }
// FICLONE
static inline int nb_clone(int from, int to) { return ioctl(to, 0x40049409ul, from); }
static inline long nb_copy_range(int from, int to, unsigned long count) { return copy_file_range(from, 0, to, 0, count, 0); }
static inline int nb_anonymous(void) { return 0x20; }
#else
#include <fcntl.h>
#include <stdio.h>
static inline int nb_open_beneath(int folder, const char *path, int flags, unsigned int mode, int no_links) { errno = ENOSYS; return -1; }
static inline int nb_open_linkless(const char *path, int flags, unsigned int mode) { errno = ENOSYS; return -1; }
static inline int nb_name_only(void) { return O_RDONLY | O_NONBLOCK; }
static inline unsigned long nb_file_system(int descriptor) { return 0; }
static inline int nb_exchange(int folder, const char *a, const char *b) { return renameatx_np(folder, a, folder, b, RENAME_SWAP); }
static inline int nb_clone(int from, int to) { return -1; }
static inline long nb_copy_range(int from, int to, unsigned long count) { return -1; }
static inline int nb_anonymous(void) { return MAP_ANON; }
#endif
static inline void *nb_fault_address(siginfo_t *information) { return information ? information->si_addr : 0; }
// The next name in a folder, 0 at the end and where it cannot be read, which errno tells apart.
static inline const char *nb_next_name(DIR *folder) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    return entry ? entry->d_name : 0;
}
