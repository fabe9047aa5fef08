// Pseudo-terminals for tests: POSIX functions that the C library hides from Swift behind feature macros.
#pragma once
extern int posix_openpt(int flags);
extern int grantpt(int descriptor);
extern int unlockpt(int descriptor);
extern char *ptsname(int descriptor);
#if defined(__APPLE__)
enum { NB_SPAWN_SETSID = 0x0400 };
#else
enum { NB_SPAWN_SETSID = 0x80 };
#endif
