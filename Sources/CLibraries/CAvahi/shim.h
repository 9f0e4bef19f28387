#pragma once
/* Headers only: the library is opened when it is wanted (dlopen), so that hosts without it run everything else. */
#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/address.h>
#include <avahi-common/error.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/strlst.h>
#include <dlfcn.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AVAHI_SHIM_SYMBOLS(X) \
  X(avahi_client_new) \
  X(avahi_client_free) \
  X(avahi_client_errno) \
  X(avahi_entry_group_new) \
  X(avahi_entry_group_reset) \
  X(avahi_entry_group_commit) \
  X(avahi_entry_group_add_service_strlst) \
  X(avahi_simple_poll_new) \
  X(avahi_simple_poll_free) \
  X(avahi_simple_poll_get) \
  X(avahi_simple_poll_iterate) \
  X(avahi_string_list_add_arbitrary) \
  X(avahi_string_list_free) \
  X(avahi_strerror)

typedef struct {
#define AVAHI_SHIM_FIELD(name) __typeof__(&name) name;
  AVAHI_SHIM_SYMBOLS(AVAHI_SHIM_FIELD)
#undef AVAHI_SHIM_FIELD
} avahi_shim_functions;

/* Opens the library by its name and finds all functions; 0, or the dynamic linker's words in `problem` (never NULL then). */
static inline int avahi_shim_open(const char *library, avahi_shim_functions *found, const char **problem) {
  /* RTLD_NODELETE: the D-Bus library below it keeps data of its own for each thread. */
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == NULL) {
    const char *words = dlerror();
    *problem = words == NULL ? "it cannot be opened" : words;
    return -1;
  }
#define AVAHI_SHIM_FIND(name) \
  found->name = (__typeof__(&name))dlsym(handle, #name); \
  if (found->name == NULL) { \
    *problem = "it has no function " #name; \
    dlclose(handle); \
    return -1; \
  }
  AVAHI_SHIM_SYMBOLS(AVAHI_SHIM_FIND)
#undef AVAHI_SHIM_FIND
  return 0;
}

#define AVAHI_SHIM_CALL(result, name, parameters, arguments) \
  static inline result avahi_shim_##name parameters { return l->avahi_##name arguments; }

AVAHI_SHIM_CALL(AvahiClient *, client_new,
  (const avahi_shim_functions *l, const AvahiPoll *poll, AvahiClientFlags flags, AvahiClientCallback callback, void *data, int *error),
  (poll, flags, callback, data, error))
AVAHI_SHIM_CALL(void, client_free, (const avahi_shim_functions *l, AvahiClient *client), (client))
AVAHI_SHIM_CALL(int, client_errno, (const avahi_shim_functions *l, AvahiClient *client), (client))
AVAHI_SHIM_CALL(AvahiEntryGroup *, entry_group_new,
  (const avahi_shim_functions *l, AvahiClient *client, AvahiEntryGroupCallback callback, void *data), (client, callback, data))
AVAHI_SHIM_CALL(int, entry_group_reset, (const avahi_shim_functions *l, AvahiEntryGroup *group), (group))
AVAHI_SHIM_CALL(int, entry_group_commit, (const avahi_shim_functions *l, AvahiEntryGroup *group), (group))
AVAHI_SHIM_CALL(AvahiSimplePoll *, simple_poll_new, (const avahi_shim_functions *l), ())
AVAHI_SHIM_CALL(void, simple_poll_free, (const avahi_shim_functions *l, AvahiSimplePoll *poll), (poll))
AVAHI_SHIM_CALL(const AvahiPoll *, simple_poll_get, (const avahi_shim_functions *l, AvahiSimplePoll *poll), (poll))
AVAHI_SHIM_CALL(int, simple_poll_iterate, (const avahi_shim_functions *l, AvahiSimplePoll *poll, int milliseconds),
  (poll, milliseconds))
AVAHI_SHIM_CALL(AvahiStringList *, string_list_add_arbitrary,
  (const avahi_shim_functions *l, AvahiStringList *list, const uint8_t *text, size_t size), (list, text, size))

AVAHI_SHIM_CALL(void, string_list_free, (const avahi_shim_functions *l, AvahiStringList *list), (list))
AVAHI_SHIM_CALL(const char *, strerror, (const avahi_shim_functions *l, int error), (error))
#undef AVAHI_SHIM_CALL

/* IPv4 on all interfaces, this host's own name; each interface shows its own address. */
static inline int avahi_shim_add_service(const avahi_shim_functions *l, AvahiEntryGroup *group, const char *instance,
                                         const char *type, uint16_t port, AvahiStringList *text) {
  return l->avahi_entry_group_add_service_strlst(
    group, AVAHI_IF_UNSPEC, AVAHI_PROTO_INET, (AvahiPublishFlags)0, instance, type, NULL, NULL, port, text);
}

typedef void (*avahi_shim_wake_callback)(void *data);

/* Another thread's way into the loop: a counter of the kernel's that the loop watches. */
static inline int avahi_shim_waker(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void avahi_shim_wake(int waker) {
  uint64_t one = 1;
  if (write(waker, &one, sizeof one) < 0) { /* it is full, so the loop wakes anyway */ }
}
static inline void avahi_shim_take_wake(AvahiWatch *watch, int waker, AvahiWatchEvent event, void *data) {
  (void)watch; (void)event; (void)data;
  uint64_t count;
  if (read(waker, &count, sizeof count) < 0) { /* nothing is there */ }
}
static inline AvahiWatch *avahi_shim_watch(const AvahiPoll *poll, int waker) {
  return poll->watch_new(poll, waker, AVAHI_WATCH_IN, avahi_shim_take_wake, NULL);
}
