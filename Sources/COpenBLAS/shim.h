// What we use of BLAS and LAPACK as OpenBLAS has them. The library is opened when it is first used: linked, its 12,000 relocations would
// cost each start of the program 2.5 ms of 11, with one thread or many.
#pragma once
#include <dlfcn.h>
#include <stdlib.h>

// Enumerations of cblas.h
enum { nb_row_major = 101, nb_column_major = 102, nb_as_is = 111, nb_transposed = 112, nb_lower = 122, nb_not_unit = 131, nb_left = 141 };

struct nb_openblas {
    void (*sgemm)(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                  float beta, float *c, int ldc);
    void (*dgemm)(int order, int transA, int transB, int m, int n, int k, double alpha, const double *a, int lda, const double *b, int ldb,
                  double beta, double *c, int ldc);
    void (*dtrsm)(int order, int side, int triangle, int trans, int diagonal, int m, int n, double alpha, const double *a, int lda, double *b,
                  int ldb);
    // Fortran passes the lengths of texts behind all else.
    void (*dsyevd)(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *values, double *work,
                   const int *workSize, int *whole, const int *wholeSize, int *info, size_t, size_t);
    void (*dpstrf)(const char *triangle, const int *n, double *a, const int *lda, int *pivots, int *rank, const double *tolerance, double *work,
                   int *info, size_t);
};

// 0 where there is no such library. It starts no threads of its own, and takes the kernels for AVX2 whatever the processor could do, so that
// neither the number of cores nor their kind changes a bit of a result.
static inline int nb_find_openblas(struct nb_openblas *found) {
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
#if defined(__x86_64__)
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
#endif
#if defined(__APPLE__)
    void *library = dlopen("/System/Library/Frameworks/Accelerate.framework/Accelerate", RTLD_LAZY | RTLD_LOCAL);
#else
    void *library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
#endif
    if (!library) return 0;
    *(void **)&found->sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&found->dgemm = dlsym(library, "cblas_dgemm");
    *(void **)&found->dtrsm = dlsym(library, "cblas_dtrsm");
    *(void **)&found->dsyevd = dlsym(library, "dsyevd_");
    *(void **)&found->dpstrf = dlsym(library, "dpstrf_");
    return found->sgemm && found->dgemm && found->dtrsm && found->dsyevd && found->dpstrf;
}
