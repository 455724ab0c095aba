// The plain clients of bench/run restart. Both know the one rule without which no restart
// can go unnoticed: a server that stops closes its idle connections, and a request may
// be on its way to it at that moment. The connection then ends cleanly before the
// first byte of a reply, and the request is sent again on another (RFC 9112 section
// 9.3.1 has the same rule for HTTP). Any other end counts as a lost request, though a
// sum could be asked for again then too: a server that stops in order has no reason
// to reset a connection.

#include "bench/callers.hpp"

#include <sys/time.h>

#include "bench/sockets.hpp"

namespace halfopen::bench {
namespace {

constexpr timeval patience{10, 0};
constexpr int most_tries = 10;

class plain_caller : public caller {
 public:
  plain_caller(std::uint16_t port, unsigned number, bool keeps)
      : port_(port), number_(number), keeps_(keeps) {}

  bool call(wire::sum_request request) override {
    for (int i = 0; i < most_tries; ++i) {
      if (i != 0) ++sent_again_;
      if (!fd_ && !connect()) return false;
      const answer a = ask(fd_.get(), request);
      if (a != answer::right || !keeps_) fd_.reset();
      if (a != answer::ended) return a == answer::right;
    }
    return false;
  }

  [[nodiscard]] std::uint64_t sent_again() const override { return sent_again_; }

 private:
  // From another address each time: who closes first keeps the port for a while (TIME_WAIT).
  bool connect() {
    fd_ = connect_to(port_, INADDR_LOOPBACK + (number_ << 16) + (opened_++ & 0xFF));
    return fd_ && ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0;
  }

  std::uint16_t port_;
  std::uint32_t number_, opened_ = 0;
  bool keeps_;
  lab::unique_fd fd_;
  std::uint64_t sent_again_ = 0;
};

}  // namespace

std::vector<caller_kind> caller_kinds() {
  const auto plain = [](bool keeps) {
    return [keeps](std::uint16_t port, unsigned number) {
      return std::make_unique<plain_caller>(port, number, keeps);
    };
  };
  return {{"a connection each", plain(false)},
          {"keeps its connection", plain(true)},
          {"halfopen::client", [](std::uint16_t port, unsigned) { return make_library_caller(port); }}};
}

}  // namespace halfopen::bench
