#pragma once
#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

// MHD_start_daemon and the MHD_get_…_info family are variadic; flags are an enum that does not take combinations in Swift.

/// What an HTTP server is started with.
struct uplink_http_setup {
  int listening_socket;
  size_t connection_memory;
  unsigned int connections;
  MHD_AcceptPolicyCallback accepts;
  MHD_AccessHandlerCallback handle;
  void *(*target)(void *context, const char *target, struct MHD_Connection *connection);
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback notify;
  void *context;
};

/// Leaves percent-escapes alone: decoding is done once, and strictly, by the wrapper.
static size_t uplink_http_keep_escapes(void *context, struct MHD_Connection *connection,
                                       char *text) {
  (void)context;
  (void)connection;
  return strlen(text);
}

static inline struct MHD_Daemon *uplink_http_start(const struct uplink_http_setup *setup) {
  struct MHD_OptionItem options[] = {
      {MHD_OPTION_LISTEN_SOCKET, setup->listening_socket, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)setup->connection_memory, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)setup->connections, NULL},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
      {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)uplink_http_keep_escapes, NULL},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)setup->target, setup->context},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)setup->completed, setup->context},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)setup->notify, setup->context},
      {MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, setup->accepts,
                          setup->context, setup->handle, setup->context, MHD_OPTION_ARRAY,
                          options, MHD_OPTION_END);
}

/// The peer's address; NULL when unknown. Valid as long as the connection.
static inline const struct sockaddr *uplink_http_peer(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}

/// The connection's socket; -1 when unknown.
static inline int uplink_http_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

/// The bytes of the request line and the header fields; 0 when unknown.
static inline size_t uplink_http_header_size(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == NULL ? 0 : info->header_size;
}
