"""A disk that misbehaves: a library before libc in the daemon, switched by a file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from harness import Rig

HANGING = r"""
#include <unistd.h>
static void hang(void) { while (access("%(switch)s", F_OK) == 0) usleep(10000); }
int fsync(int fd) { hang(); return 0; }
int fdatasync(int fd) { hang(); return 0; }
"""

FAILING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
/* Whether the switch is on and the file lies in the state directory: then the disk does not answer. */
static int dead(int fd) {
  char link[64], path[4096];
  int before = errno;
  if (access("%(switch)s", F_OK) != 0) { errno = before; return 0; }
  snprintf(link, sizeof link, "/proc/self/fd/%%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = 0;
  if (strncmp(path, "%(folder)s", strlen("%(folder)s")) != 0) return 0;
  errno = EIO;
  return 1;
}
#define FORWARD(type, name, parameters, arguments) \
  type name parameters { \
    static type (*next) parameters; \
    if (dead(fd)) return -1; \
    if (!next) next = (type (*) parameters)dlsym(RTLD_NEXT, #name); \
    return next arguments; \
  }
FORWARD(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
FORWARD(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
FORWARD(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
FORWARD(ssize_t, readv, (int fd, const struct iovec *to, int n), (fd, to, n))
FORWARD(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
FORWARD(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
FORWARD(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
FORWARD(ssize_t, writev, (int fd, const struct iovec *from, int n), (fd, from, n))
FORWARD(int, ftruncate, (int fd, off_t size), (fd, size))
FORWARD(int, ftruncate64, (int fd, off64_t size), (fd, size))
FORWARD(int, fsync, (int fd), (fd))
FORWARD(int, fdatasync, (int fd), (fd))
"""


def hang_syncs(rig: Rig) -> Path:
    """Make `fsync` and `fdatasync` hang while the file returned exists, in the daemon's next start."""
    return preload(rig, HANGING)


def fail_disk(rig: Rig) -> Path:
    """Make all reads and writes in the state directory fail (EIO) while the file returned exists, likewise."""
    return preload(rig, FAILING)


def preload(rig: Rig, text: str) -> Path:
    """Put a library, written in C, before the daemon's others; the file that is its switch."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is missing")
    switch, source, library = (rig.folder / name for name in ("switch", "preload.c", "preload.so"))
    source.write_text(text % {"switch": switch, "folder": rig.daemon.state})
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    rig.daemon.variables["LD_PRELOAD"] = str(library)
    return switch
