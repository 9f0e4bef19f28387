"""A clock that is off: a library before libc, in the programs that are started with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*next)(clockid_t, struct timespec *);
  if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = next(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += (time_t)SHIFT;
  return result;
}
time_t time(time_t *copy) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (copy) *copy = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
int adjtimex(struct timex *state) {
  state->status = KEPT ? STA_PLL : STA_UNSYNC;
  return KEPT ? TIME_OK : TIME_ERROR;
}
"""


def false_clock(folder: Path, seconds: int, kept: bool = True) -> dict[str, str]:
    """Environment variables with which a program's clock is `seconds` ahead.

    - kept: whether the kernel says that a time service keeps the clock.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is missing")
    source, library = (folder / f"clock{seconds}{int(kept)}{end}" for end in (".c", ".so"))
    source.write_text(SOURCE)
    macros = [f"-DSHIFT={seconds}LL", f"-DKEPT={int(kept)}"]
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", *macros, "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
