// What every program may rely on, where kernel.patch changes how the guest's kernel does it. The same tests
// run here, where they show that they are right, and in a guest (guest_test.cpp).

#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t pages = 80;  // more than are made at one fault

struct memory {
  explicit memory(int flags, int rights = PROT_READ | PROT_WRITE)
      : at(static_cast<char*>(::mmap(nullptr, pages * page, rights, flags | MAP_ANONYMOUS, -1, 0))) {}
  ~memory() { ::munmap(at, pages * page); }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  void fill(char mark) const {
    for (std::size_t i = 0; i < pages; ++i) at[i * page] = static_cast<char>(mark + static_cast<char>(i));
  }
  [[nodiscard]] bool holds(char mark) const {
    for (std::size_t i = 0; i < pages; ++i)
      if (at[i * page] != static_cast<char>(mark + static_cast<char>(i))) return false;
    return true;
  }
  char* at;
};

/// In a child; true if all of it held.
template <typename F>
bool in_a_child(F work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(a_program, has_memory_of_its_own_after_a_fork) {
  const memory own(MAP_PRIVATE);
  own.fill('a');
  EXPECT_TRUE(in_a_child([&] {
    if (!own.holds('a')) return false;
    own.at[5 * page] = 1;
    return in_a_child([&] { return own.at[5 * page] == 1 && (own.fill('c'), own.holds('c')); }) &&
           own.at[5 * page] == 1 && own.at[6 * page] == 'a' + 6;
  }));
  EXPECT_TRUE(own.holds('a'));
  own.fill('b');
  EXPECT_TRUE(in_a_child([&] { return own.holds('b'); }));
}

TEST(a_program, writes_while_its_child_still_reads_what_was_there) {
  const memory own(MAP_PRIVATE);
  own.fill('a');
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::_exit(::read(go[0], &byte, 1) == 1 && own.holds('a') ? 0 : 1);
  }
  own.fill('b');
  EXPECT_EQ(::write(go[1], "x", 1), 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(own.holds('b'));
}

TEST(a_program, shares_memory_with_its_child) {
  const memory both(MAP_SHARED);
  both.fill('a');
  EXPECT_TRUE(in_a_child([&] { return both.holds('a') && (both.fill('b'), true); }));
  EXPECT_TRUE(both.holds('b'));
}

TEST(a_program, moves_memory_that_it_has_from_before_a_fork) {
  const memory own(MAP_PRIVATE), place(MAP_PRIVATE);
  own.fill('a');
  place.fill('x');
  EXPECT_TRUE(in_a_child([&] {
    if (place.at[0] != 'x') return false;
    place.fill('y');  // it is there, and goes
    void* moved = ::mremap(own.at, pages * page, pages * page, MREMAP_MAYMOVE | MREMAP_FIXED, place.at);
    return moved == place.at && place.holds('a') && (place.fill('z'), place.holds('z'));
  }));
  EXPECT_TRUE(own.holds('a'));
}

TEST(a_program, finds_zeros_where_it_maps_anew) {
  const memory own(MAP_PRIVATE);
  own.fill('a');
  EXPECT_TRUE(in_a_child([&] {
    if (::mmap(own.at, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) != own.at)
      return false;
    for (std::size_t i = 0; i < pages; ++i)
      if (own.at[i * page] != 0) return false;
    return true;
  }));
}

sigjmp_buf back;
volatile std::uintptr_t fault_at;
volatile bool fault_was_to_write;

void on_fault(int, siginfo_t* info, void* context) {
  fault_at = reinterpret_cast<std::uintptr_t>(info->si_addr);
#ifdef __x86_64__
  fault_was_to_write = (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
  (void)context;
#endif
  siglongjmp(back, 1);
}

/// Whether that ends in SIGSEGV.
template <typename F>
bool faults(F access) {
  struct sigaction mine{}, before{};
  mine.sa_sigaction = on_fault;
  mine.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &mine, &before);
  const bool caught = sigsetjmp(back, 1) != 0;
  if (!caught) access();
  ::sigaction(SIGSEGV, &before, nullptr);
  return caught;
}

TEST(a_program, is_told_what_it_must_not_touch) {
  const memory own(MAP_PRIVATE);
  volatile char* at = own.at;
  EXPECT_FALSE(faults([&] { at[3] = 'a'; }));
  ::mprotect(own.at, pages * page, PROT_READ);
  for (const std::size_t n :
       {3 * page, 70 * page, std::size_t{3}}) {  // untouched pages, and one with something
    EXPECT_FALSE(faults([&] { (void)at[n]; }));
    EXPECT_TRUE(faults([&] { at[n] = 1; }));
    EXPECT_EQ(fault_at, reinterpret_cast<std::uintptr_t>(&at[n]));
    EXPECT_TRUE(fault_was_to_write);
  }
  ::mprotect(own.at, pages * page, PROT_NONE);
  for (const std::size_t n : {std::size_t{3}, 5 * page}) {
    EXPECT_TRUE(faults([&] { (void)at[n]; }));
    EXPECT_EQ(fault_at, reinterpret_cast<std::uintptr_t>(&at[n]));
    EXPECT_FALSE(fault_was_to_write);
    EXPECT_TRUE(faults([&] { at[n] = 1; }));
  }
  ::mprotect(own.at, pages * page, PROT_READ | PROT_WRITE);
  EXPECT_EQ(at[3], 'a');
  EXPECT_EQ(at[5 * page], 0);
}

TEST(a_program, does_not_change_a_file_that_it_only_reads) {
  char name[] = "/tmp/program-test-XXXXXX";
  const int fd = ::mkstemp(name);
  ::unlink(name);
  ASSERT_EQ(::ftruncate(fd, pages * page), 0);
  auto* shared =
      static_cast<volatile char*>(::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  auto* own =
      static_cast<volatile char*>(::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  EXPECT_EQ(shared[7 * page], 0);
  shared[7 * page] = 's';
  EXPECT_EQ(own[7 * page], 's');
  own[7 * page] = 'o';
  own[8 * page] = 'o';
  char byte = 0;
  EXPECT_EQ(::pread(fd, &byte, 1, 7 * page), 1);
  EXPECT_EQ(byte, 's');
  EXPECT_EQ(::pread(fd, &byte, 1, 8 * page), 1);
  EXPECT_EQ(byte, 0);
  ::close(fd);
}

#ifdef __x86_64__
/// Makes a system call with that in a vector register; what is there when it has returned.
std::uint64_t through_a_call(std::uint64_t mark, long call, long first = 0, long second = 0) {
  std::uint64_t after = 0;
  asm volatile("movq %4, %%xmm9; syscall; movq %%xmm9, %0"
               : "=r"(after), "+a"(call)
               : "D"(first), "S"(second), "r"(mark)
               : "rcx", "r11", "xmm9", "memory");
  return after;
}

void spoil(int) {
  const std::uint64_t other = 1;
  asm volatile("movq %0, %%xmm9" : : "r"(other) : "xmm9");
}

TEST(a_program, keeps_its_vector_registers) {
  std::atomic<int> wrong = 0;
  const auto look = [&wrong](std::uint64_t mark) {
    for (int i = 0; i < 200; ++i)
      if (through_a_call(mark, SYS_sched_yield) != mark) ++wrong;
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = 1; i <= 3; ++i) threads.emplace_back(look, i * 0x0123456789abcdefULL);
  EXPECT_TRUE(in_a_child([&] { return look(42), wrong == 0; }));
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

TEST(a_program, keeps_its_vector_registers_when_a_signal_comes) {
  struct sigaction mine{}, before{};
  mine.sa_handler = spoil;
  ::sigaction(SIGUSR1, &mine, &before);
  EXPECT_EQ(through_a_call(77, SYS_kill, ::getpid(), SIGUSR1), 77U);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(a_program, gives_its_vector_registers_to_its_child) {
  std::uint64_t after = 0;
  long child = SYS_fork;
  asm volatile("movq %2, %%xmm9; syscall; movq %%xmm9, %0"
               : "=r"(after), "+a"(child)
               : "r"(std::uint64_t{78})
               : "rcx", "r11", "xmm9", "memory");
  if (child == 0) ::_exit(after == 78 ? 0 : 1);
  int status = -1;
  ::waitpid(static_cast<pid_t>(child), &status, 0);
  EXPECT_EQ(after, 78U);
  EXPECT_EQ(status, 0);
}
#endif

TEST(a_program, sees_the_same_clock_by_each_way_of_asking) {
  for (const clockid_t which : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    timespec first{}, second{}, third{};
    ::clock_gettime(which, &first);
    ::syscall(SYS_clock_gettime, which, &second);
    ::clock_gettime(which, &third);
    const auto ns = [](const timespec& t) { return t.tv_sec * 1'000'000'000LL + t.tv_nsec; };
    EXPECT_LE(ns(first), ns(second));
    EXPECT_LE(ns(second), ns(third));
    EXPECT_LT(ns(third) - ns(first), 3'600'000'000'000LL);
  }
}

}  // namespace
