#pragma once
/* No socket headers here: a declaration that comes in through this module would be missing from Glibc's. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern int pthread_setname_np(pthread_t thread, const char *name);

extern char **environ;

/* A global variable that changes is out of Swift's reach. */
static inline char **platform_environment(void) { return environ; }

/* open(2) is variadic. */
static inline int platform_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}

/* The POSIX strerror_r; under its plain name there is the GNU one, which may leave the buffer alone. */
extern int __xpg_strerror_r(int number, char *text, size_t capacity);

/* The local calendar and clock at `seconds`: year, month 1-12, day, hour, minute, second. */
static inline int platform_local_time(time_t seconds, int *parts) {
  struct tm local;
  if (localtime_r(&seconds, &local) == NULL) return 0;
  parts[0] = local.tm_year + 1900;
  parts[1] = local.tm_mon + 1;
  parts[2] = local.tm_mday;
  parts[3] = local.tm_hour;
  parts[4] = local.tm_min;
  parts[5] = local.tm_sec;
  return 1;
}

/* Whether a time service keeps the clock: 1 yes, 0 no, -1 where the kernel does not say. */
static inline int platform_clock_state(void) {
  struct timex state;
  memset(&state, 0, sizeof state);
  if (adjtimex(&state) < 0) return -1;
  return (state.status & STA_UNSYNC) == 0;
}

/* pipe2 is declared for _GNU_SOURCE only. */
extern int pipe2(int ends[2], int flags);

// memmem is declared for _GNU_SOURCE only.
extern void *memmem(const void *haystack, size_t length, const void *needle, size_t needle_length);

/// Where `needle` first stands in `haystack`; NULL where it does not.
static inline const void *platform_find(const void *haystack, size_t length, const void *needle,
                                        size_t needle_length) {
  return memmem(haystack, length, needle, needle_length);
}
