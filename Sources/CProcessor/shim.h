// What the processor can do, asked without executing anything that it might lack, and what Swift has no word for.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>

// 1 where the processor has AVX2, FMA and F16C and the system saves the 256-bit registers (Intel SDM volume 1, 14.3 and 14.7).
static inline int nb_processor_has_vectors(void) {
    unsigned int a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const unsigned int fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
    if ((c & (fma | osxsave | avx | f16c)) != (fma | osxsave | avx | f16c)) return 0;
    unsigned int low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 6) != 6) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    return (b & (1u << 5)) != 0;
}

// 1 where it has AVX-512 F, DQ, BW and VL too and the system saves the 512-bit registers (15.2 and 15.4 there).
static inline int nb_processor_has_wide_vectors(void) {
    unsigned int a, b, c, d, low, high;
    if (!nb_processor_has_vectors()) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 0xe6) != 0xe6) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned int wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    return (b & wanted) == wanted;
}
#else
static inline int nb_processor_has_vectors(void) { return 1; }
static inline int nb_processor_has_wide_vectors(void) { return 0; }
#endif

// Asks for the cache line at an address that may be read soon; any address will do.
static inline void nb_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

// Tells the processor that a loop waits for another core's write, so that it leaves the wait at once and saves power meanwhile.
static inline void nb_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

// Gives pages that the allocator holds without use back to the system. The header that declares it is not among those that Swift sees.
#if defined(__linux__)
#include <features.h>
#endif
#if defined(__GLIBC__)
extern int malloc_trim(__SIZE_TYPE__ kept);
static inline void nb_give_pages_back(void) { malloc_trim(0); }
#else
static inline void nb_give_pages_back(void) {}
#endif

// The processors that this process is bound to, a bit each; the bytes of the mask, negative where there are more. The C library hides it behind a feature macro.
#if defined(__linux__)
#include <sys/syscall.h>
extern long syscall(long number, ...);
static inline long nb_affinity(unsigned long size, void *mask) { return syscall(SYS_sched_getaffinity, 0, size, mask); }
#else
static inline long nb_affinity(unsigned long size, void *mask) { return -1; }
#endif

#if defined(__linux__)
#include <malloc.h>
#endif

// All threads allocate from one arena: by itself the allocator reserves 64 MB of addresses for each thread.
static inline void nb_share_arena(void) {
#if defined(__GLIBC__) && defined(M_ARENA_MAX)
    mallopt(M_ARENA_MAX, 1);
#endif
}
