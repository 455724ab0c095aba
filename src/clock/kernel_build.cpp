// Building is the work of two shell scripts (kernel-packages and build-kernel, which travel in
// this program); here is what makes it safe: one build at a time, the result in place at once
// or not at all, and nothing left of a build that was killed.
//
// It happens in the cache's own folder: rename(2) needs one file system, and /tmp is often
// too small for a kernel's source (1.2 GB while it compiles).

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "clock/kernel.hpp"
#include "clock/recipe.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::clock {
namespace {

namespace fs = std::filesystem;
using lab::unique_fd;

std::unexpected<std::string> failure(const std::string& what, int errno_value) {
  return std::unexpected(what + ": " + std::strerror(errno_value));
}

/// A build's own folder; gone with it.
class kitchen {
 public:
  explicit kitchen(const fs::path& cache) : path_(cache / ".kitchen") {
    clean();  // what a killed build left
    fs::create_directories(path_);
    write("kernel-packages", package_script);
    write("debian-packages", package_functions);
    write("packages.txt", package_list);
    write("build-kernel", build_script);
    write("kernel.options", kernel_options);
    write("kernel.patch", kernel_patch);
  }
  ~kitchen() { clean(); }
  kitchen(const kitchen&) = delete;
  kitchen& operator=(const kitchen&) = delete;

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  void clean() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  void write(const char* name, std::string_view text) {
    std::ofstream file(path_ / name);
    file << text;
    if (!file.flush())
      throw fs::filesystem_error("writing", path_ / name, std::make_error_code(std::errc::io_error));
  }

  fs::path path_;
};

/// The script dies with us; in our process group, so that a terminal's Ctrl-C ends it and
/// the compilers too. Without a reader of what it says, make ends at its next line.
pid_t start_script(const fs::path& in, const char* name, int output) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  const unique_fd nothing(::open("/dev/null", O_RDONLY));
  ::dup2(nothing.get(), 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::execlp("bash", "bash", (in / name).c_str(), in.c_str(), (in / "result").c_str(), nullptr);
  ::_exit(127);
}

/// "compiled 12" for the user.
std::string in_words(std::string_view line) {
  constexpr std::string_view compiled = "compiled ";
  if (!line.starts_with(compiled)) return std::string(line);
  return "compiling: " + std::string(line.substr(compiled.size())) + " of about 660 files";
}

/// Passes lines on until the script has ended; gives what it said of its failure.
std::string follow(int from, const std::function<void(std::string_view)>& tell) {
  std::string text;
  std::string error;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return error + text;
    text.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      const std::string_view line(text.data(), end);
      if (!error.empty() || line.starts_with("error: "))
        error.append(line.substr(error.empty() ? 7 : 0)).append("\n");
      else
        tell(in_words(line));
    }
  }
}

std::expected<void, std::string> run_script(const fs::path& in, const char* name,
                                            const std::function<void(std::string_view)>& tell) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return failure("pipe", errno);
  const unique_fd output(ends[0]);
  unique_fd input(ends[1]);
  const pid_t script = start_script(in, name, input.get());
  if (script < 0) return failure("fork", errno);
  input.reset();
  const std::string error = follow(output.get(), tell);
  int status = 0;
  while (::waitpid(script, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return {};
  return std::unexpected(error.empty() ? "the build was ended, status " + std::to_string(status) : error);
}

std::expected<void, std::string> cook(const fs::path& in, const std::function<void(std::string_view)>& tell) {
  for (const char* script : {"kernel-packages", "build-kernel"})
    if (const auto done = run_script(in, script, tell); !done) return done;
  return {};
}

/// One build at a time.
std::expected<unique_fd, std::string> lock(const fs::path& cache,
                                           const std::function<void(std::string_view)>& tell) {
  unique_fd held(::open((cache / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!held) return failure("cannot write into " + cache.string(), errno);
  if (::flock(held.get(), LOCK_EX | LOCK_NB) == 0) return held;
  tell("waiting for another build");
  while (::flock(held.get(), LOCK_EX) < 0)
    if (errno != EINTR) return failure("flock", errno);
  return held;
}

}  // namespace

std::expected<kernel, std::string> build_kernel(const std::function<void(std::string_view)>& tell,
                                                const fs::path& cache) {
  if (cache.empty())
    return std::unexpected("this user has no home, and XDG_CACHE_HOME is not set: no place for the kernel");
  std::error_code why;
  fs::create_directories(cache, why);
  if (why) return std::unexpected("cannot make " + cache.string() + ": " + why.message());
  const auto held = lock(cache, tell);
  if (!held) return std::unexpected(held.error());

  const auto is_current = [&](const std::optional<kernel>& k) {
    const auto version = source_version();
    return k && (!version || k->key == *version + "-" + recipe());
  };
  if (auto there = find_kernel(cache); is_current(there)) return *there;
  try {
    const kitchen here(cache);
    if (const auto done = cook(here.path(), tell); !done) return std::unexpected(done.error());
    const fs::path place = cache / (source_version().value_or("unknown") + "-" + recipe());
    fs::remove_all(place);
    fs::rename(here.path() / "result", place);
  } catch (const fs::filesystem_error& e) {
    return std::unexpected(e.what());
  }
  if (auto made = find_kernel(cache)) return *made;
  return std::unexpected("the kernel that was built is not usable");
}

}  // namespace halfopen::clock
