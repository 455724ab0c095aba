/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef HALFOPEN_SRC_AUDIT_TRACEPOINTS_H
#define HALFOPEN_SRC_AUDIT_TRACEPOINTS_H

/* What tracepoints.bpf.c writes into its ring for tracepoints.cpp: C, for both sides. */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Bits of `resets`. */
#define HALFOPEN_RESET_RECEIVED 1        /* tcp_reset() ran: an RST came, or data after the close */
#define HALFOPEN_RESET_SENT 2            /* of this side's own accord */
#define HALFOPEN_RESET_SENT_IN_ANSWER 4  /* by a socket that was closed already */

/* One socket, up to now. */
struct halfopen_socket_record {
  __u64 cookie;  /* SO_COOKIE */
  __u32 network; /* inode of its network namespace */
  __u32 pid;     /* as the watching process sees it; 0: not known */
  char name[16]; /* comm of that process; empty: not known */
  __u8 local[16], remote[16];      /* IPv4: the first four bytes */
  __u16 local_port, remote_port;   /* host byte order */
  __u16 family;                    /* AF_INET, AF_INET6 */
  __u8 left;                       /* the state that it left for CLOSE; 0: it has not */
  __u8 connected;                  /* its connect(2) was seen */
  __u8 accepted;                   /* its handshake was seen, and the peer has begun it */
  __u8 first_fin;                  /* 1: this side's, 2: the peer's; 0: not seen */
  __u8 resets;                     /* HALFOPEN_RESET_... */
  __u8 heard;                      /* `silent` is known */
  __s32 error;                     /* sk_err when it left for CLOSE */
  __s32 reason;                    /* enum sk_rst_reason of the reset that was sent; -1: the kernel does not say */
  __u32 retransmissions;           /* segments sent again while it was watched */
  __u32 silent;                    /* ticks from the last segment heard to CLOSE */
  __u32 unused;                    /* no gap that the kernel would find without a value */
};

/* What is counted in all, in the array `counters`. */
enum { halfopen_records_lost, halfopen_segments_repeated, halfopen_counters };

#endif
