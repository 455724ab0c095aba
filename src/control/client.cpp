#include "control/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace halfopen::control {

using nlohmann::json;

std::expected<json, std::string> ask_system(const line_to_system& line, const request& r,
                                            const std::function<void(const json&)>& part) {
  const std::string text = to_line(r);
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::send(line.socket.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;  // it has ended, or refuses so long a line, and may have said so
    sent += static_cast<std::size_t>(n);
  }
  std::string got;
  char buffer[65536];
  for (;;) {
    for (std::size_t end; (end = got.find('\n')) != std::string::npos; got.erase(0, end + 1)) {
      json answer = json::parse(got.substr(0, end), nullptr, false);
      if (!answer.is_object()) return std::unexpected("what came from the system is no answer");
      const auto ok = answer.find("ok");
      if (ok != answer.end() && ok->is_boolean()) return answer;
      if (part) part(answer);
    }
    const ssize_t n = ::recv(line.socket.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected("the system ended before it answered");
    got.append(buffer, static_cast<std::size_t>(n));
  }
}

void until_gone(pid_t process) {
  const lab::unique_fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd gone{fd.get(), POLLIN, 0};
  while (fd && ::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace halfopen::control
