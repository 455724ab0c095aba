// Counts a server's system calls from inside, by standing before the C library's
// functions (LD_PRELOAD).
//
// - perf's raw_syscalls:sys_enter would count in the kernel, but a tracepoint needs
//   root and a mounted tracefs.
// - strace and ptrace need no rights, but stop the server twice a call. A server that
//   is ten times slower finds more requests waiting each time it looks, and so makes
//   fewer calls a request: what they count is another server.
// - A function in front costs a few nanoseconds, so the server behaves as it does
//   unwatched, and its counters can be read at any moment, without its start and end.
// What it misses are calls that do not go through these functions: those of the C
// library itself (memory, locks) and inline assembly. strace shows none of them in
// these servers while they serve.
//
// The functions' own types do not matter: on the 64-bit Linux ABIs (x86-64 psABI 3.2.3,
// AAPCS64 6.4) six integers or pointers travel in registers and a result in one, and
// no system call has more. So each of them is the same function, and no header that
// declares one may be included here.

#include <dlfcn.h>
#include <sys/mman.h>

#include "bench/calls.hpp"

extern "C" {
char* getenv(const char*) noexcept;
int open(const char*, int, ...);
}

namespace halfopen::bench {
namespace {

enum class call : std::size_t {
#define HALFOPEN_CALL_NAME(name) name##_call,
  HALFOPEN_COUNTED_CALLS(HALFOPEN_CALL_NAME)
#undef HALFOPEN_CALL_NAME
};

call_counts* shared() {
  static call_counts nowhere;
  const char* path = getenv(counts_variable);
  constexpr int read_write = 2, close_on_exec = 02000000;  // O_RDWR | O_CLOEXEC of <fcntl.h>
  const int fd = path == nullptr ? -1 : open(path, read_write | close_on_exec);
  if (fd < 0) return &nowhere;
  void* memory = ::mmap(nullptr, sizeof(call_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? &nowhere : static_cast<call_counts*>(memory);
}

void count(call which) {
  static call_counts* const counts = shared();
  __atomic_fetch_add(&counts->count[static_cast<std::size_t>(which)], 1, __ATOMIC_RELAXED);
}

using any_call = long (*)(long, long, long, long, long, long);
any_call behind(const char* name) {
  return reinterpret_cast<any_call>(::dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace halfopen::bench

// syscall() alone has a seventh argument, on the stack; none of these servers makes a call with six.
#define HALFOPEN_COUNT_CALL(name)                                                 \
  extern "C" long name(long a, long b, long c, long d, long e, long f) {          \
    static const halfopen::bench::any_call real = halfopen::bench::behind(#name); \
    halfopen::bench::count(halfopen::bench::call::name##_call);                   \
    return real(a, b, c, d, e, f);                                                \
  }
HALFOPEN_COUNTED_CALLS(HALFOPEN_COUNT_CALL)
