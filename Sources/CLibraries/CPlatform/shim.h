#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static inline char **platform_environment(void) { return environ; }
extern int pthread_setname_np(pthread_t thread, const char *name);

/* open(2) is variadic. */
static inline int platform_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}

/* The GNU strerror_r is reached under another name from some feature sets: this is the POSIX one. */
extern int __xpg_strerror_r(int number, char *text, size_t capacity);

/* Writes the signal's number to the pipe that platform_signal_catch was given; async-signal-safe. */
static int platform_signal_pipe = -1;

static inline void platform_signal_handler(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(platform_signal_pipe, &byte, 1);
  (void)ignored;
  errno = saved;
}

/* Delivers `number` as one byte into `descriptor` from now on. */
static inline int platform_signal_catch(int number, int descriptor) {
  platform_signal_pipe = descriptor;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = platform_signal_handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL);
}

static inline int platform_signal_ignore(int number) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  return sigaction(number, &action, NULL);
}

static inline int platform_signal_default(int number) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  return sigaction(number, &action, NULL);
}

/* sockaddr casts for the two families that we ask about. */
static inline int platform_connect_in(int descriptor, const struct sockaddr_in *address) {
  return connect(descriptor, (const struct sockaddr *)address, sizeof *address);
}
static inline int platform_connect_in6(int descriptor, const struct sockaddr_in6 *address) {
  return connect(descriptor, (const struct sockaddr *)address, sizeof *address);
}

/* Sends a datagram to the Unix socket `path`; a first byte of '@' means the abstract namespace. */
static inline ssize_t platform_send_to_unix(int descriptor, const char *path, size_t path_length,
                                            const void *bytes, size_t count) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  if (path_length == 0 || path_length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path, path_length);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length);
  if (address.sun_path[0] != 0) length += 1;
  return sendto(descriptor, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
}

/* The address of an interface as IPv4 text; 0 where it has none. */
static inline int platform_interface_ipv4(const struct ifaddrs *entry, uint32_t *address) {
  if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != AF_INET) return 0;
  if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) return 0;
  *address = ntohl(((const struct sockaddr_in *)entry->ifa_addr)->sin_addr.s_addr);
  return 1;
}

static inline int platform_local_in(int descriptor, struct sockaddr_in *address) {
  socklen_t length = sizeof *address;
  return getsockname(descriptor, (struct sockaddr *)address, &length);
}
static inline int platform_local_in6(int descriptor, struct sockaddr_in6 *address) {
  socklen_t length = sizeof *address;
  return getsockname(descriptor, (struct sockaddr *)address, &length);
}

/* A pipe that no child inherits and whose writing end never blocks, not even in a signal handler. */
static inline int platform_pipe(int *ends) {
  if (pipe(ends) < 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL, 0) | O_NONBLOCK);
}

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
