#ifndef HALFOPEN_SRC_LAB_ACCEPT_CALL_HPP
#define HALFOPEN_SRC_LAB_ACCEPT_CALL_HPP

#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "halfopen/lab/unique_fd.hpp"

/// What can be asked about a program's accept call and its sockets, and written into its memory.

namespace halfopen::lab {

/// A copy of the thread's descriptor; null, with errno, if it cannot be had.
unique_fd copy_descriptor(pid_t thread, int descriptor);

/// accept(2) on it would return at once, with a connection. A listener that was shut
/// down is readable too, but listens no more (net/ipv4/af_inet.c, inet_shutdown).
bool has_connection(const unique_fd& listener);

/// Reset while it waited in the queue. Asking TCP_INFO takes no error away from
/// the program, as SO_ERROR would (getsockopt in net/core/sock.c).
bool is_dead(const unique_fd& connection);

/// Linux reserves a descriptor before it takes a connection off the queue
/// (net/socket.c, do_accept): without one, EMFILE, and the connection stays there.
bool has_free_descriptor(pid_t thread);

/// Fills in accept's address arguments in the program's memory.
bool write_peer_address(const seccomp_notif& notice, const sockaddr_storage& peer, socklen_t size);

int accept_flags(const seccomp_notif& notice);

ino_t inode_of(const unique_fd& socket);

}  // namespace halfopen::lab

#endif
