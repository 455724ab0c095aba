// Another machine's program is a file, and qemu-user runs it: `qemu-s390x PATH serve ...`. The
// alternative, letting the kernel find qemu by itself (binfmt_misc), needs root once, is a setting
// of the whole machine, and is not in user namespaces before Linux 6.7. i686 programs mostly need
// no qemu on x86-64; whether this kernel runs them (CONFIG_IA32_EMULATION, and ia32_emulation= on its
// command line) is tried.

#include "situation/machine.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <sstream>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::situation {
namespace {

namespace fs = std::filesystem;

/// As in cmake/toolchains.
struct foreign {
  std::string_view name, triplet, emulator;
  bool may_run_natively = false;
};
constexpr std::array foreigners{
    foreign{"i686", "i686-linux-gnu", "qemu-i386", true},
    foreign{"s390x", "s390x-linux-gnu", "qemu-s390x"},
    foreign{"powerpc", "powerpc-linux-gnu", "qemu-ppc"},
    foreign{"armhf", "arm-linux-gnueabihf", "qemu-arm"},
};

std::string own_name() {
  utsname here{};
  ::uname(&here);
  return std::string_view(here.machine) == "x86_64" ? "x86-64" : here.machine;
}

/// The file that a shell would run for that name; empty if none.
fs::path find_in_path(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const fs::path file = fs::path(folder) / name; ::access(file.c_str(), X_OK) == 0) return file;
  return {};
}

/// The pair's program for that machine; empty if it was not built.
fs::path find_program(std::string_view name) {
  const fs::path here = fs::path(lab::own_executable()).parent_path();
  for (const char* libexec :
       {"../libexec", "../../../libexec"}) {  // of PREFIX/bin, and of build/PRESET/src/cli
    const fs::path file = here / libexec / "halfopen" / name / "halfopen-pair";
    if (::access(file.c_str(), X_OK) == 0) return file.lexically_normal();
  }
  return {};
}

/// What to type, for what is not there.
std::string remedy(const foreign& f, bool program, bool emulator) {
  std::string packages;
  if (!program && find_in_path(std::string(f.triplet) + "-g++").empty())
    packages += " g++-" + std::string(f.triplet);
  if (!emulator) packages += " qemu-user";
  std::string text = packages.empty() ? "" : "apt-get install" + packages;
  if (!program)
    text += (text.empty() ? "" : "; then ") + std::string("scripts/build-arch ") + std::string(f.name);
  return text;
}

bool runs(const std::vector<std::string>& program, std::string& why) {
  std::vector<std::string> command = program;
  command.insert(command.end(), {"bytes", "1", "2"});
  const auto printed = output_of(command);
  if (!printed) why = printed.error();
  return printed.has_value();
}

}  // namespace

std::vector<std::string> machine_names() {
  std::vector<std::string> names{own_name()};
  for (const foreign& f : foreigners)
    if (f.name != names.front()) names.emplace_back(f.name);
  return names;
}

machine find_machine(const std::string& name) {
  if (name == own_name()) return {name, {lab::own_executable()}, {}};
  const foreign& f = *std::ranges::find(foreigners, name, &foreign::name);
  machine found{name, {}, {}};
  const fs::path program = find_program(name);
  std::string why;
  if (f.may_run_natively && !program.empty() && runs({program}, why)) {
    found.program = {program};
    return found;
  }
  const fs::path emulator = find_in_path(f.emulator);
  if (program.empty() || emulator.empty()) {
    found.lacks = remedy(f, !program.empty(), !emulator.empty());
    return found;
  }
  if (runs({emulator, program}, why))
    found.program = {emulator, program};
  else
    found.lacks = emulator.string() + " " + program.string() + " does not run here: " + why;
  return found;
}

std::expected<std::string, std::string> output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(std::strerror(errno));
  const lab::unique_fd out(ends[0]);
  lab::unique_fd in(ends[1]);
  std::vector<char*> words;
  for (const std::string& word : command)
    words.push_back(const_cast<char*>(word.c_str()));  // as execve wants it
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, words.front(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (error != 0) return std::unexpected(std::strerror(error));

  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(out.get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(n));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return std::unexpected("killed by signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return std::unexpected("exit " + std::to_string(WEXITSTATUS(status)));
  return text;
}

std::map<std::string, std::string> bytes_by_format(const std::string& printed) {
  std::map<std::string, std::string> found;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);)
    if (const auto space = line.find(' '); space != std::string::npos)
      found[line.substr(0, space)] = line.substr(space + 1);
  return found;
}

}  // namespace halfopen::situation
