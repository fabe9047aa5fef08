// Preloaded into the program by tests (LD_PRELOAD): counts its file operations below one folder, and lets the one of a given number fail, or
// sends the program a signal in front of it. So a test tries every moment at which a disk can be full or a machine can stop, one by one,
// without waiting for any time. What it does stands in variables:
//
//   FAULTS_BELOW   the folder (an absolute path); operations elsewhere are left alone
//   FAULTS_CALLS   the kinds that count, as letters: see `enum kind`
//   FAULTS_AT      the number of the operation, from 1
//   FAULTS_THEN    "signal N": in front of it. A write is then half done, if that is the end.
//                  "error N": it fails with this errno, and nothing of it is done.
//                  "errors N": it and all that count after it
//   FAULTS_TRACE   a file that gets a line for each that counts: its kind and path
#if defined(__linux__)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

enum kind {
    looking = 'r',   // open for reading, and of folders
    opening = 'o',   // open for writing, whether or not the file is there
    writing = 'w',   // write, pwrite, writev, copy_file_range, a clone, ftruncate
    syncing = 's',   // fsync, fdatasync
    naming = 'n',    // rename, link, symlink
    making = 'm',    // mkdir
    removing = 'd',  // unlink, rmdir
};

static char below[PATH_MAX];
static size_t belowLength;
static const char *calls = "";
static const char *trace;
static long at, count;
static int sent, failure, lasts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The C library's own function of that name.
#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

static ssize_t real_write(int file, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(file, bytes, size);
}

static int real_open(const char *path, int flags, mode_t mode) {
    REAL(int, "open", const char *, int, ...);
    return real(path, flags, mode);
}

__attribute__((constructor)) static void prepare(void) {
    // Programs that this one starts are left alone.
    unsetenv("LD_PRELOAD");
    const char *folder = getenv("FAULTS_BELOW"), *then = getenv("FAULTS_THEN"), *number = getenv("FAULTS_AT");
    if (!folder || strlen(folder) >= sizeof below) return;
    // One that is not there yet is called as it will be.
    if (!realpath(folder, below)) strcpy(below, folder);
    belowLength = strlen(below);
    calls = getenv("FAULTS_CALLS") ? getenv("FAULTS_CALLS") : "";
    trace = getenv("FAULTS_TRACE");
    if (!then || !number) return;
    at = atol(number);
    int value = strchr(then, ' ') ? atoi(strchr(then, ' ')) : 0;
    if (!strncmp(then, "signal ", 7)) sent = value;
    if (!strncmp(then, "error ", 6)) failure = value;
    if (!strncmp(then, "errors ", 7)) failure = value, lasts = 1;
}

static int is_below(const char *path) { return !strncmp(path, below, belowLength) && (path[belowLength] == '/' || path[belowLength] == 0); }

// The path that a name in an open folder stands for.
static int named(int folder, const char *name, char path[PATH_MAX]) {
    if (!name) return 0;
    if (name[0] == '/') return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    char base[PATH_MAX];
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length < 0) return 0;
        base[length] = 0;
    }
    return snprintf(path, PATH_MAX, name[0] ? "%s/%s" : "%s", base, name) < PATH_MAX;
}

// One operation: 0 where it should be done, else the errno with which it fails. `half` does a part of it before SIGKILL comes.
static int event(enum kind kind, int folder, const char *name, void (*half)(void *), void *what) {
    if (!belowLength || !strchr(calls, kind)) return 0;
    int saved = errno;
    char path[PATH_MAX];
    // The standard files are the reader's, and nothing of a notebook.
    if ((!name && folder <= STDERR_FILENO) || !named(folder, name ? name : "", path) || !is_below(path)) {
        errno = saved;
        return 0;
    }
    pthread_mutex_lock(&lock);
    long number = ++count;
    // A program that tries the same again and again would fill a disk with its attempts.
    if (number > 100000) abort();
    if (trace) {
        char line[PATH_MAX + 8];
        int length = snprintf(line, sizeof line, "%c %s\n", kind, path);
        int file = real_open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file >= 0) {
            if (real_write(file, line, length) < 0) abort();
            close(file);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    if (sent && number == at) {
        // Whoever lives on writes all of it afterwards.
        if (half && sent == SIGKILL) half(what);
        kill(getpid(), sent);
        // SIGKILL may take a moment to arrive.
        while (sent == SIGKILL) pause();
        errno = saved;
    }
    return failure && (number == at || (lasts && number > at)) ? failure : 0;
}

#define CHECK(kind, folder, name) \
    do { \
        int failed = event(kind, folder, name, NULL, NULL); \
        if (failed) { \
            errno = failed; \
            return -1; \
        } \
    } while (0)

// MARK: Opening

static enum kind open_kind(uint64_t flags) {
    return (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE ? looking : opening;
}

static mode_t open_mode(int flags, va_list arguments) { return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(arguments, mode_t) : 0; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, #name, const char *, int, ...); \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = open_mode(flags, arguments); \
        va_end(arguments); \
        CHECK(open_kind(flags), AT_FDCWD, path); \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(int, #name, int, const char *, int, ...); \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = open_mode(flags, arguments); \
        va_end(arguments); \
        CHECK(open_kind(flags), folder, path); \
        return real(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

// MARK: Writing

struct piece {
    int file;
    const void *bytes;
    size_t size;
};

static void write_half(void *what) {
    struct piece *piece = what;
    if (real_write(piece->file, piece->bytes, piece->size / 2) < 0) abort();
}

ssize_t write(int file, const void *bytes, size_t size) {
    struct piece piece = {file, bytes, size};
    int failed = event(writing, file, NULL, write_half, &piece);
    if (failed) {
        errno = failed;
        return -1;
    }
    return real_write(file, bytes, size);
}

#define PWRITE(name, type) \
    ssize_t name(int file, const void *bytes, size_t size, type offset) { \
        REAL(ssize_t, #name, int, const void *, size_t, type); \
        CHECK(writing, file, NULL); \
        return real(file, bytes, size, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *pieces, int number) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    CHECK(writing, file, NULL);
    return real(file, pieces, number);
}

ssize_t copy_file_range(int source, off64_t *from, int file, off64_t *to, size_t size, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    CHECK(writing, file, NULL);
    return real(source, from, file, to, size, flags);
}

#define FTRUNCATE(name, type) \
    int name(int file, type size) { \
        REAL(int, #name, int, type); \
        CHECK(writing, file, NULL); \
        return real(file, size); \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

int ioctl(int file, unsigned long request, ...) {
    REAL(int, "ioctl", int, unsigned long, ...);
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == FICLONE) CHECK(writing, file, NULL);
    return real(file, request, argument);
}

#define SYNC(name) \
    int name(int file) { \
        REAL(int, #name, int); \
        CHECK(syncing, file, NULL); \
        return real(file); \
    }
SYNC(fsync)
SYNC(fdatasync)

// MARK: Names

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    CHECK(naming, AT_FDCWD, to);
    return real(from, to);
}

int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    CHECK(naming, b, to);
    return real(a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    CHECK(naming, b, to);
    return real(a, from, b, to, flags);
}

int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *);
    CHECK(naming, AT_FDCWD, to);
    return real(from, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    CHECK(naming, b, to);
    return real(a, from, b, to, flags);
}

int symlink(const char *target, const char *path) {
    REAL(int, "symlink", const char *, const char *);
    CHECK(naming, AT_FDCWD, path);
    return real(target, path);
}

int symlinkat(const char *target, int folder, const char *path) {
    REAL(int, "symlinkat", const char *, int, const char *);
    CHECK(naming, folder, path);
    return real(target, folder, path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    CHECK(making, AT_FDCWD, path);
    return real(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    CHECK(making, folder, path);
    return real(folder, path, mode);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    CHECK(removing, AT_FDCWD, path);
    return real(path);
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    CHECK(removing, folder, path);
    return real(folder, path, flags);
}

int rmdir(const char *path) {
    REAL(int, "rmdir", const char *);
    CHECK(removing, AT_FDCWD, path);
    return real(path);
}

// MARK: Calls that the C library has no function for

long syscall(long number, ...) {
    REAL(long, "syscall", long, ...);
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
    // Its third argument is a structure that begins with the flags.
    case SYS_openat2: CHECK(open_kind(*(const uint64_t *)a[2]), (int)a[0], (const char *)a[1]); break;
    case SYS_renameat2: CHECK(naming, (int)a[2], (const char *)a[3]); break;
    case SYS_copy_file_range: CHECK(writing, (int)a[2], NULL); break;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#endif
