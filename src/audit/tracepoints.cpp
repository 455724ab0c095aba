// Loads the BPF program, and reads its ring.
//
// The program's object is part of this one (.incbin), so that there is no file to be found at run time and no
// generator to be had at build time. Nothing is pinned: the kernel frees programs, tables and links with the
// descriptors of this process, however it ends.

#include "audit/tracepoints.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "audit/tracepoints.h"

asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".globl halfopen_bpf_begin\n"
    "halfopen_bpf_begin:\n"
    ".incbin \"" HALFOPEN_BPF_OBJECT
    "\"\n"
    ".globl halfopen_bpf_end\n"
    "halfopen_bpf_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" const char halfopen_bpf_begin[];
extern "C" const char halfopen_bpf_end[];

namespace halfopen::audit {
namespace {

constexpr ino_t first_pid_namespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO, include/linux/proc_ns.h

struct freer {
  void operator()(bpf_object* o) const noexcept { bpf_object__close(o); }
  void operator()(bpf_link* l) const noexcept { bpf_link__destroy(l); }
  void operator()(::ring_buffer* r) const noexcept { ring_buffer__free(r); }
  void operator()(btf* b) const noexcept { btf__free(b); }
};

std::string why_not(int error) {
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0)
    return "this kernel does not describe itself (no /sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF)";
  if (error == EPERM || error == EACCES)
    return "it is not allowed: run as root, or with CAP_BPF and CAP_PERFMON, outside of user namespaces";
  return std::string("the kernel does not take the program (") + std::strerror(error) +
         "; it needs Linux 5.12)";
}

/// The kernel's own names for why it sends a reset, without what all of them begin with.
reset_reasons read_reasons() {
  reset_reasons found;
  const std::unique_ptr<btf, freer> kernel(btf__load_vmlinux_btf());
  if (!kernel) return found;
  const int id = btf__find_by_name_kind(kernel.get(), "sk_rst_reason", BTF_KIND_ENUM);
  if (id < 0) return found;
  const btf_type* type = btf__type_by_id(kernel.get(), static_cast<__u32>(id));
  for (int i = 0; i < btf_vlen(type); ++i) {
    std::string name = btf__name_by_offset(kernel.get(), btf_enum(type)[i].name_off);
    constexpr std::string_view prefix = "SK_RST_REASON_";
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
    if (name != "NOT_SPECIFIED" && name != "MAX") found.emplace(btf_enum(type)[i].val, std::move(name));
  }
  return found;
}

/// The kernel names processes by the numbers that this one sees.
void set_own_pids(bpf_object* object) {
  struct stat own{};
  if (::stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == first_pid_namespace) return;
  const std::array<__u64, 2> value{own.st_dev, own.st_ino};
  if (bpf_map* constants = bpf_object__find_map_by_name(object, ".rodata"))
    bpf_map__set_initial_value(constants, value.data(), sizeof value);
}

std::chrono::microseconds kernel_tick() {
  timespec tick{};
  ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);  // TICK_NSEC
  return std::chrono::microseconds(tick.tv_nsec / 1000);
}

}  // namespace

struct tracepoints::inside {
  std::unique_ptr<bpf_object, freer> object;
  std::vector<std::unique_ptr<bpf_link, freer>> links;
  std::unique_ptr<::ring_buffer, freer> ring;
  int counters = -1;
  reset_reasons reasons = read_reasons();
  std::chrono::microseconds tick = kernel_tick();
  const std::function<void(traced&&)>* take = nullptr;

  static int one(void* self, void* record, std::size_t size) {
    auto& i = *static_cast<inside*>(self);
    auto t = traced_of(record, size, i.reasons, i.tick);
    if (t && i.take != nullptr) (*i.take)(std::move(*t));
    return 0;
  }

  /// 0, or an errno.
  int load() {
    const auto size = static_cast<std::size_t>(halfopen_bpf_end - halfopen_bpf_begin);
    object.reset(bpf_object__open_mem(halfopen_bpf_begin, size, nullptr));
    if (!object) return errno;
    set_own_pids(object.get());
    if (const int e = bpf_object__load(object.get()); e != 0) return -e;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get()) {
      links.emplace_back(bpf_program__attach(program));
      if (!links.back()) return errno;
    }
    ring.reset(ring_buffer__new(bpf_object__find_map_fd_by_name(object.get(), "ring"), one, this, nullptr));
    counters = bpf_object__find_map_fd_by_name(object.get(), "counters");
    return ring ? 0 : errno;
  }

  [[nodiscard]] std::uint64_t counted(__u32 what) const {
    __u64 n = 0;
    bpf_map_lookup_elem(counters, &what, &n);
    return n;
  }
};

tracepoints::tracepoints(std::unique_ptr<inside> i) noexcept : inside_{std::move(i)} {}
tracepoints::tracepoints(tracepoints&&) noexcept = default;
tracepoints& tracepoints::operator=(tracepoints&&) noexcept = default;
tracepoints::~tracepoints() = default;

std::expected<tracepoints, std::string> tracepoints::open() {
  libbpf_set_print(nullptr);
  auto i = std::make_unique<inside>();
  if (const int error = i->load(); error != 0) return std::unexpected(why_not(error));
  return tracepoints(std::move(i));
}

int tracepoints::descriptor() const noexcept {
  return ring_buffer__epoll_fd(inside_->ring.get());
}

void tracepoints::drain(const std::function<void(traced&&)>& take) {
  inside_->take = &take;
  ring_buffer__consume(inside_->ring.get());
  inside_->take = nullptr;
}

std::uint64_t tracepoints::losses() const {
  return inside_->counted(halfopen_records_lost);
}
std::uint64_t tracepoints::segments_repeated() const {
  return inside_->counted(halfopen_segments_repeated);
}

}  // namespace halfopen::audit
