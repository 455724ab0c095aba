#include "clock/guest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "halfopen/lab/experiment.hpp"

namespace halfopen::clock {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

std::string children_of(int pid) {
  const std::string self = std::to_string(pid);
  std::ifstream file("/proc/" + self + "/task/" + self + "/children");
  std::string text;
  std::getline(file, text);
  return text;
}

/// TMPDIR for as long as it lives.
struct temporary_directory {
  fs::path path;
  temporary_directory() {
    std::string made = fs::temp_directory_path() / "guest-test-XXXXXX";
    path = ::mkdtemp(made.data());
    ::setenv("TMPDIR", path.c_str(), 1);
  }
  ~temporary_directory() {
    ::unsetenv("TMPDIR");
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
};

class in_a_guest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "with AddressSanitizer the program would have to be a guest's init too";
#endif
    there = find_kernel();
    if (!there) GTEST_SKIP() << "the kernel is not there: halfopen clock build";
    std::string pattern = fs::temp_directory_path() / "guest-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    // A test of a busy machine must not wait for ever.
    options.real_limit = 100s;
    options.output = [this](std::string_view text) { output += text; };
    options.errors = [this](std::string_view text) { errors += text; };
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }

  guest_end run(std::vector<std::string> argv) {
    output.clear();
    job what = job_here(std::move(argv));
    what.writable = writable;
    guest g(*there, what, options);
    guest* const all[]{&g};
    while (!g.ended()) wait_for_any(all, 50ms);
    return *g.ended();
  }
  guest_end shell(const std::string& script) { return run({"sh", "-c", script}); }

  std::optional<kernel> there;
  fs::path folder;
  guest_options options;
  std::vector<fs::path> writable;
  std::string output, errors;
};

TEST_F(in_a_guest, an_hour_is_over_at_once) {
  const guest_end end = run({"sleep", "3600"});
  EXPECT_EQ(end.how, guest_fate::done) << in_words(end);
  EXPECT_EQ(end.code, 0);
  EXPECT_GE(end.guest_time, 3600s);
  EXPECT_LT(end.guest_time, 3601s);
  EXPECT_LT(end.real_time, 30s);
}

TEST_F(in_a_guest, the_programs_output_and_exit_status_are_its_own) {
  const guest_end end = shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(end.how, guest_fate::done) << in_words(end);
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(output, "out\n");
  EXPECT_EQ(errors, "err\n");
  EXPECT_EQ(shell("kill -9 $$").code, 128 + SIGKILL);
}

TEST_F(in_a_guest, environment_and_folder_are_the_callers) {
  ::setenv("HALFOPEN_GUEST_TEST", "two words", 1);
  EXPECT_EQ(shell("echo \"$HALFOPEN_GUEST_TEST\"; pwd").code, 0);
  EXPECT_EQ(output, "two words\n" + fs::current_path().string() + "\n");
}

TEST_F(in_a_guest, nothing_of_the_host_changes_but_what_is_named) {
  std::ofstream(folder / "there") << "before\n";
  fs::create_directory(folder / "mine");
  writable = {folder / "mine"};
  const guest_end end = shell("set -e; cd '" + folder.string() +
                              "'; echo after > there; cat there; echo new > new; echo result > mine/result");
  EXPECT_EQ(end.code, 0) << errors;
  EXPECT_EQ(output, "after\n");
  std::string text;
  std::getline(std::ifstream(folder / "there"), text);
  EXPECT_EQ(text, "before");
  EXPECT_FALSE(fs::exists(folder / "new"));
  std::getline(std::ifstream(folder / "mine/result"), text);
  EXPECT_EQ(text, "result");
}

TEST_F(in_a_guest, two_runs_are_the_same_to_the_nanosecond) {
  options.begins = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  const std::string script =
      "date +%s.%N; cat /proc/sys/kernel/random/uuid; sleep 0.3; date +%s.%N; "
      "python3 -c 'import os, time; print(os.urandom(8), id(object()), time.monotonic_ns())'";
  EXPECT_EQ(shell(script).code, 0) << errors;
  const std::string first = output;
  EXPECT_EQ(shell(script).code, 0);
  EXPECT_EQ(output, first);
  EXPECT_THAT(first, HasSubstr("1767225600."));
  options.seed = 2;
  shell(script);
  EXPECT_NE(output, first);
}

TEST_F(in_a_guest, a_program_has_what_it_has_outside) {
  const guest_end end = run({lab::own_executable(), "--gtest_filter=a_program.*", "--gtest_brief=1"});
  EXPECT_EQ(end.how, guest_fate::done) << in_words(end);
  EXPECT_EQ(end.code, 0) << output;
  EXPECT_THAT(output, HasSubstr("PASSED"));
}

TEST_F(in_a_guest, a_look_at_the_clock_takes_as_long_however_one_asks) {
  const guest_end end =
      run({"python3", "-c",
           "import ctypes, time\n"
           "libc = ctypes.CDLL(None)\n"
           "class timespec(ctypes.Structure): _fields_ = [('s', ctypes.c_long), ('ns', ctypes.c_long)]\n"
           "t = timespec()\n"
           "def looks(ask):\n"
           "  began = time.monotonic_ns()\n"
           "  for i in range(1000): ask()\n"
           "  return time.monotonic_ns() - began\n"
           "print(looks(lambda: libc.clock_gettime(1, ctypes.byref(t))))\n"
           "print(looks(lambda: libc.syscall(228, 1, ctypes.byref(t))))\n"
           "while time.monotonic() < 2: pass\n"});
  EXPECT_EQ(end.how, guest_fate::done) << in_words(end);
  // 256 ns each (TIMER_MULTIPLIER in arch/um/include/linux/time-internal.h), and one that is the last.
  EXPECT_EQ(output, "256256\n256256\n");
  EXPECT_GE(end.guest_time, 2s);  // who waits by looking at it gets on: that is 8 million looks
}

TEST_F(in_a_guest, a_program_that_spins_is_told_from_one_that_waits) {
  options.standstill_limit = 2s;
  {
    guest g(*there, job_here({"sh", "-c", "sleep 5; while :; do :; done"}), options);
    guest* const all[]{&g};
    EXPECT_LT(g.standstill(), 1s);
    while (!g.ended() && g.standstill() < 1s) wait_for_any(all, 50ms);
    EXPECT_FALSE(g.ended());  // it is told before it is ended
    EXPECT_GE(g.guest_time(), 5s);
  }
  const guest_end end = shell("echo begun; sleep 5; while :; do :; done");
  EXPECT_EQ(end.how, guest_fate::stood_still) << in_words(end);
  EXPECT_EQ(output, "begun\n");  // what it said before is not lost
  EXPECT_GE(end.guest_time, 5s);
  EXPECT_LT(end.guest_time, 6s);
  EXPECT_THAT(in_words(end), HasSubstr("--clock real"));

  options.speed = computing::takes_time;
  EXPECT_EQ(shell("timeout 1 sh -c 'while :; do :; done'; echo $?").code, 0);
  EXPECT_EQ(output, "124\n");
}

TEST_F(in_a_guest, a_program_that_waits_in_a_loop_is_served_whatever_it_looks_at) {
  const guest_end end = run({"python3", "-c", R"(
import os, select, time
def wait(passes):
    began = time.monotonic()
    while not passes():
        pass
    print(f"{time.monotonic() - began:.2f}")
def reaches(clock, more):
    until = time.clock_gettime(clock) + more
    return lambda: time.clock_gettime(clock) >= until
for clock in 5, 6, time.CLOCK_PROCESS_CPUTIME_ID, time.CLOCK_THREAD_CPUTIME_ID:  # 5, 6: the coarse ones
    wait(reaches(clock, 0.02))
ours, theirs = os.pipe()
def child():
    if os.fork() == 0:
        time.sleep(0.02)
        os.write(theirs, b"x")
        os._exit(0)
poll = select.poll()
poll.register(ours, select.POLLIN)
epoll = select.epoll()
epoll.register(ours, select.EPOLLIN)
for ready in (lambda: poll.poll(0)), (lambda: epoll.poll(0)), (lambda: select.select([ours], [], [], 0)[0]):
    child()
    wait(ready)
    os.read(ours, 1)
child()
os.sched_yield()
wait(lambda: os.waitpid(-1, os.WNOHANG) != (0, 0))
)"});
  EXPECT_EQ(end.how, guest_fate::done) << in_words(end) << errors;
  EXPECT_EQ(end.code, 0) << errors;
  std::istringstream all(output);
  int lines = 0;
  for (double seconds = 0; all >> seconds; ++lines)
    EXPECT_NEAR(seconds, lines < 7 ? 0.02 : 0, 0.011) << output;
  EXPECT_EQ(lines, 8) << output;
}

TEST_F(in_a_guest, addresses_without_memory_behind_them_can_be_reserved) {
  // MariaDB reserves 8 TB as it starts; 2 GB are more than the guest's memory. 0x4000: MAP_NORESERVE.
  const guest_end end = run({"python3", "-c", R"(
import mmap
none, private = 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
for size, flags, rights in (8 << 40, 0x4000, none), (64 << 40, 0, none), (8 << 40, 0x4000, 3), (2 << 30, 0, 3):
    reserved = mmap.mmap(-1, size, flags=private | flags, prot=rights)
    if rights:
        reserved[size - 1] = 1
        assert reserved[size - 1] == 1 and reserved[size // 2] == 0
    reserved.close()
print("all")
)"});
  EXPECT_EQ(output, "all\n") << in_words(end) << errors;
}

TEST_F(in_a_guest, output_comes_as_it_is_produced) {
  job what = job_here({"sh", "-c", "echo first; while :; do :; done"});
  guest g(*there, what, options);
  guest* const all[]{&g};
  while (!g.ended() && output.empty()) wait_for_any(all, 50ms);
  EXPECT_EQ(output, "first\n");
  EXPECT_FALSE(g.ended());
  g.stop();
  EXPECT_EQ(g.ended()->how, guest_fate::stopped);
}

TEST_F(in_a_guest, the_real_time_limit_ends_it) {
  options.real_limit = 2s;
  const guest_end end = shell("while :; do date; done");
  EXPECT_EQ(end.how, guest_fate::too_long) << in_words(end);
}

TEST_F(in_a_guest, too_little_memory_is_named) {
  options.memory_mb = 96;
  const guest_end end = run({"python3", "-c", "x = []\nwhile True: x.append(bytearray(b'1') * 1_000_000)"});
  EXPECT_EQ(end.how, guest_fate::out_of_memory) << in_words(end);
}

TEST_F(in_a_guest, that_is_powered_off_from_inside_has_no_status) {
  const guest_end end = run({"python3", "-c", "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)"});
  EXPECT_EQ(end.how, guest_fate::died) << in_words(end);
}

TEST_F(in_a_guest, a_program_that_is_not_there_is_named) {
  const guest_end end = run({"/no/such/program"});
  EXPECT_EQ(end.how, guest_fate::job_failed);
  EXPECT_THAT(in_words(end), HasSubstr("/no/such/program"));
}

TEST_F(in_a_guest, nothing_is_left_of_it) {
  const temporary_directory own;  // others' guests begin in /tmp meanwhile
  const auto names = [&own] {
    std::vector<fs::path> found;
    for (const auto& e : fs::directory_iterator(own.path))
      if (e.path().filename().string().starts_with("halfopen-guest-")) found.push_back(e.path());
    return found;
  };
  int pid = 0;
  std::string children;
  {
    guest g(*there, job_here({"sh", "-c", "echo begun; while :; do :; done"}), options);
    guest* const all[]{&g};
    while (!g.ended() && output.empty()) wait_for_any(all, 50ms);
    pid = g.pid();
    children = children_of(pid);
    EXPECT_FALSE(children.empty());
    EXPECT_GT(g.memory_kib(), 1000);
    EXPECT_THAT(names(), testing::IsEmpty());  // although it runs
  }
  EXPECT_LT(::kill(pid, 0), 0);
  std::istringstream all(children);
  for (int child = 0; all >> child;) {
    for (int i = 0; i < 100 && ::kill(child, 0) == 0; ++i) std::this_thread::sleep_for(20ms);
    EXPECT_LT(::kill(child, 0), 0) << child;
  }
}

TEST_F(in_a_guest, several_run_side_by_side) {
  std::vector<std::string> said(3);
  std::vector<guest> guests;
  std::vector<guest*> all;
  for (std::size_t i = 0; i < said.size(); ++i) {
    guest_options how = options;
    how.output = [&said, i](std::string_view text) { said[i] += text; };
    guests.emplace_back(*there, job_here({"sh", "-c", "sleep 100; echo " + std::to_string(i)}), how);
  }
  for (guest& g : guests) all.push_back(&g);
  while (std::ranges::any_of(guests, [](const guest& g) { return !g.ended(); })) wait_for_any(all, 50ms);
  EXPECT_THAT(said, testing::ElementsAre("0\n", "1\n", "2\n"));
}

}  // namespace
}  // namespace halfopen::clock
