// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Runs in the kernel, at four tracepoints of TCP's, and keeps of each socket what sock_diag(7) forgets: which
// process uses it, who closed first, whether a reset came or was sent and why, with which error it ended and
// after how long of silence.
//
// It looks and changes nothing. Facts of a socket gather in a table of fixed size, from which the kernel drops
// the one that was not used for longest; they go to the reader when the socket leaves for CLOSE, and again when
// a reset is sent after that (tcp_close() and tcp_disconnect() of net/ipv4/tcp.c set the state first). The socket's
// end itself is told by the destroy notification of sock_diag(7), which comes after all of these.
//
// tp_btf instead of the tracepoints' own records: these have no cookie. What is read beyond the tracepoints'
// arguments are fields that every kernel since 5.12 has; libbpf finds their places (CO-RE).

#define __VMLINUX_H__
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum { BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_LRU_HASH = 9, BPF_MAP_TYPE_RINGBUF = 27 };  // enum bpf_map_type
enum { BPF_ANY = 0 };
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_CLOSE = 7, TCP_CLOSE_WAIT, TCP_LISTEN = 10 };
enum { AF_INET = 2, AF_INET6 = 10, IPPROTO_TCP = 6 };
enum { PF_KTHREAD = 0x00200000 };

#include <bpf/bpf_helpers.h>
// After the helpers.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "audit/tracepoints.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct bpf_pidns_info {  // not the kernel's inside, but its interface
  __u32 pid, tgid;
};
struct in6_addr {
  union {
    __u8 u6_addr8[16];
  } in6_u;
};
struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
typedef struct {
  struct net *net;
} possible_net_t;
struct sock_common {
  __be32 skc_daddr, skc_rcv_saddr;
  __be16 skc_dport;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
typedef struct {
  int owned;
} socket_lock_t;
struct sock {
  struct sock_common __sk_common;
  socket_lock_t sk_lock;
  __u16 sk_protocol;
  int sk_err;
};
struct inet_sock {
  struct sock sk;
  __be16 inet_sport;
};
struct inet_connection_sock {
  struct inet_sock icsk_inet;
  struct {
    __u32 lrcvtime;
  } icsk_ack;
};
struct tcp_sock {
  struct inet_connection_sock inet_conn;
  __u32 rcv_tstamp;
};
struct task_struct {
  unsigned int flags;
  struct task_struct *group_leader;
  char comm[16];
};
struct sk_buff {
  unsigned int len;
};
enum sk_rst_reason { SK_RST_REASON_NOT_SPECIFIED_ };
struct trace_event_raw_tcp_send_reset {
  enum sk_rst_reason reason;
};
#pragma clang attribute pop

// The reader's own process namespace; 0: the first one, in which every process has a number.
const volatile struct {
  __u64 device, inode;
} own_pids;

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 65536);
  __type(key, __u64);
  __type(value, struct halfopen_socket_record);
} sockets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4 << 20);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, halfopen_counters);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 what) {
  __u64 *n = bpf_map_lookup_elem(&counters, &what);
  if (n) __sync_fetch_and_add(n, 1);
}

static __always_inline struct halfopen_socket_record *facts_of(struct sock *sk, __u64 cookie) {
  struct halfopen_socket_record *known = bpf_map_lookup_elem(&sockets, &cookie);
  if (known) return known;
  struct halfopen_socket_record fresh = {.cookie = cookie, .reason = -1};
  fresh.network = sk->__sk_common.skc_net.net->ns.inum;
  bpf_map_update_elem(&sockets, &cookie, &fresh, BPF_ANY);
  return bpf_map_lookup_elem(&sockets, &cookie);
}

// While a process has locked the socket, nobody else touches it, and the current process is one that uses it.
// Otherwise an interrupt is at work, in whatever process it has interrupted.
static __always_inline void name_process(struct halfopen_socket_record *r, struct sock *sk) {
  if (r->name[0] != 0 || !sk->sk_lock.owned) return;
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  if (BPF_CORE_READ(task, flags) & PF_KTHREAD) return;
  BPF_CORE_READ_STR_INTO(&r->name, task, group_leader, comm);
  if (own_pids.inode == 0) {
    r->pid = bpf_get_current_pid_tgid() >> 32;
  } else {
    struct {
      __u32 pid, tgid;
    } seen = {};
    if (bpf_get_ns_current_pid_tgid(own_pids.device, own_pids.inode, (struct bpf_pidns_info *)&seen,
                                    sizeof seen) == 0)
      r->pid = seen.tgid;
  }
}

static __always_inline void name_ends(struct halfopen_socket_record *r, struct sock *sk) {
  r->family = sk->__sk_common.skc_family;
  if (r->family == AF_INET) {
    __be32 address = sk->__sk_common.skc_rcv_saddr;
    __builtin_memcpy(r->local, &address, sizeof address);
    address = sk->__sk_common.skc_daddr;
    __builtin_memcpy(r->remote, &address, sizeof address);
  } else {
    BPF_CORE_READ_INTO(&r->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
    BPF_CORE_READ_INTO(&r->remote, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
  }
  r->local_port = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
  r->remote_port = __builtin_bswap16(sk->__sk_common.skc_dport);
}

static __always_inline void tell(const struct halfopen_socket_record *r) {
  if (bpf_ringbuf_output(&ring, (void *)r, sizeof *r, 0) != 0) count(halfopen_records_lost);
}

static __always_inline void measure_silence(struct halfopen_socket_record *r, struct sock *sk) {
  const __u32 ack = BPF_CORE_READ((struct tcp_sock *)sk, rcv_tstamp);
  const __u32 data = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ack.lrcvtime);
  if (ack == 0 && data == 0) return;
  const __u32 now = (__u32)bpf_jiffies64();
  const __u32 since_ack = now - ack, since_data = now - data;
  r->heard = 1;
  r->silent = ack != 0 && (data == 0 || since_ack < since_data) ? since_ack : since_data;
}

// Called before the state is changed, but for CLOSE after the port was given back (tcp_set_state()).
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(halfopen_state, struct sock *sk, int from, int to) {
  if (sk->sk_protocol != IPPROTO_TCP) return 0;
  if (to == TCP_LISTEN || from == TCP_LISTEN || from == to) return 0;
  __u64 cookie = bpf_get_socket_cookie(sk);
  if (to == TCP_SYN_SENT) bpf_map_delete_elem(&sockets, &cookie);  // a socket may connect again
  struct halfopen_socket_record *r = facts_of(sk, cookie);
  if (!r) return 0;
  name_process(r, sk);
  if (to == TCP_SYN_SENT) r->connected = 1;
  if (to == TCP_ESTABLISHED && from == TCP_SYN_RECV && !r->connected) r->accepted = 1;
  if (r->first_fin == 0 && (to == TCP_FIN_WAIT1 || to == TCP_CLOSE_WAIT)) r->first_fin = to == TCP_FIN_WAIT1 ? 1 : 2;
  if (to != TCP_CLOSE) return 0;
  r->left = from;
  r->error = sk->sk_err;
  name_ends(r, sk);
  measure_silence(r, sk);
  tell(r);
  return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(halfopen_reset_received, struct sock *sk) {
  struct halfopen_socket_record *r = facts_of(sk, bpf_get_socket_cookie(sk));
  if (r) r->resets |= HALFOPEN_RESET_RECEIVED;
  return 0;
}

// `skb`: the segment that is answered; none where the reset is sent of its own accord.
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(halfopen_reset_sent, struct sock *sk, const struct sk_buff *skb) {
  if (!sk) return 0;
  __u64 cookie = bpf_get_socket_cookie(sk);
  struct halfopen_socket_record *r = bpf_map_lookup_elem(&sockets, &cookie);
  // An answer to a stray segment ends nothing, unless it is the last word of a socket that is closed already.
  if (skb && (!r || r->left == 0)) return 0;
  if (!r) r = facts_of(sk, cookie);
  if (!r) return 0;
  name_process(r, sk);
  r->resets |= skb ? HALFOPEN_RESET_SENT_IN_ANSWER : HALFOPEN_RESET_SENT;
  if (bpf_core_field_exists(struct trace_event_raw_tcp_send_reset, reason)) r->reason = (__s32)ctx[2];  // Linux 6.10
  if (r->left != 0) tell(r);
  return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(halfopen_sent_again, struct sock *sk) {
  struct halfopen_socket_record *r = facts_of(sk, bpf_get_socket_cookie(sk));
  if (r) ++r->retransmissions;
  count(halfopen_segments_repeated);
  return 0;
}

// The file's second licence: the kernel lends the types of its inside to programs under the GPL alone.
char LICENSE[] SEC("license") = "GPL";
