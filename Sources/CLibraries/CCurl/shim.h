#pragma once
#include <curl/curl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

// libcurl's setters and getters are variadic, which Swift cannot call: one typed function per kind of argument.

typedef size_t (*curl_shim_data)(char *bytes, size_t size, size_t count, void *context);
typedef int (*curl_shim_seek)(void *context, curl_off_t offset, int origin);
typedef curl_socket_t (*curl_shim_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
typedef int (*curl_shim_before)(void *context, char *remote, char *local, int remote_port, int local_port);

static inline CURLcode curl_shim_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_bytes(CURL *easy, CURLoption option, const void *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_data(CURL *easy, CURLoption option, curl_shim_data value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode curl_shim_set_open(CURL *easy, curl_shim_open value) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}
static inline CURLcode curl_shim_set_seek(CURL *easy, curl_shim_seek value) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode curl_shim_set_before(CURL *easy, curl_shim_before value) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode curl_shim_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode curl_shim_get_socket(CURL *easy, curl_socket_t *value) {
  return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, value);
}
static inline CURLMcode curl_shim_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
static inline CURLSHcode curl_shim_share_set_long(CURLSH *share, CURLSHoption option, long value) {
  return curl_share_setopt(share, option, value);
}
static inline CURLcode curl_shim_message_result(const CURLMsg *message) {
  return message->data.result;
}
static inline CURLcode curl_shim_global_init(void) {
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

// The calling thread's name, as `top -H` and a debugger show it (at most 15 bytes).
static inline void curl_shim_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// How many bytes a socket's peer has not acknowledged yet; negative when that is unknown.
static inline int curl_shim_unacknowledged(int socket) {
  int count = 0;
  return ioctl(socket, TIOCOUTQ, &count) == 0 ? count : -1;
}
