// A client as it should be: it asks, does something else for a while, asks again, and exits
// with an error unless it had both replies whole. Where a defect is named, a line is left
// out or changed.

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "halfopen/liveness.hpp"
#include "halfopen/unique_fd.hpp"
#include "pair/broken/defect.hpp"
#include "pair/broken/message.hpp"

namespace halfopen::broken {
namespace {

using namespace std::chrono_literals;

constexpr auto connect_within = 3s;
constexpr auto notice_within = 6s;
/// Longer than that: a peer that is dead is noticed for what it is, and one that lives and is mute at all.
constexpr timeval reply_within{8, 0};
constexpr auto pause_between_requests = 500ms;
constexpr int end_of_file = 0;  // an errno for what is none

template <typename T>
using result = std::expected<T, int>;

std::string text_of(int error) {
  return error == end_of_file ? "the server closed the connection" : std::strerror(error);
}

result<unique_fd> connect_to(const addrinfo& where) {
  unique_fd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool bounded = !has(defect::no_connect_timeout);
  if (bounded) ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  if (::connect(fd.get(), where.ai_addr, where.ai_addrlen) < 0) {
    if (errno != EINPROGRESS) return std::unexpected(errno);
    pollfd one{fd.get(), POLLOUT, 0};
    if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(connect_within).count())) <= 0)
      return std::unexpected(ETIMEDOUT);
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::unexpected(error);
  }
  ::fcntl(fd.get(), F_SETFL, 0);
  liveness options = noticed_within(notice_within);
  if (has(defect::client_without_user_timeout)) options.user_timeout = 0ms;
  if (!has(defect::client_without_liveness)) (void)set_liveness(fd.get(), options);
  const bool waits_without_limit = has(defect::no_reply_limit) || has(defect::client_without_liveness) ||
                                   has(defect::client_without_user_timeout);
  if (!waits_without_limit)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &reply_within, sizeof reply_within);
  return fd;
}

class client {
 public:
  client(const char* host, const char* port) : host_(host), port_(port) {}

  result<std::string> ask(std::string_view text);

 private:
  result<void> connect();
  result<void> send(std::string_view bytes);
  result<std::string> receive(std::size_t size);
  result<std::string> receive_header();
  result<std::string> receive_reply();
  result<std::string> exchange(std::string_view text);

  const char *host_, *port_;
  unique_fd fd_;
};

result<void> client::connect() {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host_, port_, &hints, &list) != 0) return std::unexpected(EHOSTUNREACH);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  int error = EHOSTUNREACH;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    auto made = connect_to(*one);
    if (made) {
      fd_ = std::move(*made);
      return {};
    }
    error = made.error();
    if (has(defect::first_address_only)) break;
  }
  return std::unexpected(error);
}

result<void> client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::send(fd_.get(), bytes.data(), bytes.size(), has(defect::client_dies_of_sigpipe) ? 0 : MSG_NOSIGNAL);
    if (n < 0) return std::unexpected(errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

result<std::string> client::receive(std::size_t size) {
  std::string all;
  while (all.size() < size) {
    char buffer[longest_text];
    const ssize_t n = ::recv(fd_.get(), buffer, std::min(sizeof buffer, size - all.size()), 0);
    if (n < 0) return std::unexpected(errno);
    if (n == 0 && has(defect::end_of_file_ends_the_reply)) break;
    if (n == 0 && has(defect::waits_after_end_of_file)) std::this_thread::sleep_for(10ms);
    const bool reads_on = has(defect::waits_after_end_of_file) || has(defect::client_spins_at_end_of_file);
    if (n == 0 && !reads_on) return std::unexpected(end_of_file);
    all.append(buffer, static_cast<std::size_t>(n));
    if (has(defect::client_reads_once)) break;
  }
  return all;
}

result<std::string> client::receive_header() {
  if (!has(defect::client_drops_what_follows)) return receive(header_size);
  char buffer[longest_text];
  const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  if (n < 0) return std::unexpected(errno);
  if (n == 0) return std::unexpected(end_of_file);
  if (static_cast<std::size_t>(n) < header_size) return std::unexpected(EBADMSG);
  return std::string(buffer, header_size);
}

result<std::string> client::receive_reply() {
  auto header = receive_header();
  if (!header || header->size() < header_size) return header;
  const std::uint32_t length = length_in(*header);
  if (length > longest_text) return std::unexpected(EBADMSG);
  return receive(length);
}

result<std::string> client::exchange(std::string_view text) {
  if (!fd_)
    if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
  const auto sent = send(header_of(text) + std::string(text));
  if (!sent) return std::unexpected(sent.error());
  return receive_reply();
}

result<std::string> client::ask(std::string_view text) {
  auto reply = exchange(text);
  if (!reply && fd_ && has(defect::asks_again)) {
    fd_.reset();
    reply = exchange(text);
  }
  while (!reply && has(defect::reconnects_for_ever)) {
    fd_.reset();
    std::this_thread::sleep_for(200ms);
    reply = exchange(text);
  }
  return reply;
}

}  // namespace

int call(const char* host, const char* port) {
  client c(host, port);
  for (const std::string_view text : {"the first of two", "the second of two"}) {
    if (text.starts_with("the second")) std::this_thread::sleep_for(pause_between_requests);
    const auto reply = c.ask(text);
    if (!reply && !has(defect::uses_the_reply_unchecked)) {
      fmt::print(stderr, "no reply to {}: {}\n", text, text_of(reply.error()));
      const bool reset = reply.error() == ECONNRESET || reply.error() == EPIPE;
      const bool looks_well =
          has(defect::exit_0_after_any_failure) || (reset && has(defect::exit_0_after_a_reset));
      return looks_well ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    fmt::print("{}\n", reply.value());
  }
  return EXIT_SUCCESS;
}

}  // namespace halfopen::broken
