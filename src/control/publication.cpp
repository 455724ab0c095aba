#include "control/publication.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "lab/socket_address.hpp"

namespace halfopen::control {
namespace {

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (why != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

/// The part after the last ':', which is cut off; nothing if there is none.
std::optional<std::string_view> cut_last(std::string_view& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto last = text.substr(colon + 1);
  text.remove_suffix(text.size() - colon);
  return last;
}

std::optional<trace::ip_address> read_address(std::string_view text) {
  const bool brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const auto address = trace::ip_address::parse(brackets ? text.substr(1, text.size() - 2) : text);
  return address && address->is_v6() == brackets ? address : std::nullopt;
}

}  // namespace

std::expected<publication, std::string> read_publication(std::string_view text) {
  const auto wrong = std::unexpected(
      fmt::format("'{}': expected [ADDRESS:]PORT:HOST:PORT, such as 3000:app:3000 or [::1]:0:app:3000",
                  text.substr(0, 80)));
  publication made;
  std::string_view rest = text;
  const auto port = cut_last(rest);
  const auto host = cut_last(rest);
  if (!port || !host || host->empty()) return wrong;
  const auto inside = read_port(*port);
  const auto colon = rest.rfind(':');
  const auto outside = read_port(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
  const auto address =
      read_address(colon == std::string_view::npos ? std::string_view("127.0.0.1") : rest.substr(0, colon));
  if (!inside || *inside == 0 || !outside || !address) return wrong;
  made.outside = {*address, *outside};
  made.host = *host;
  made.port = *inside;
  return made;
}

std::string in_words(const publication& p) {
  return fmt::format("{} -> {}:{}", p.outside.to_string(), p.host, p.port);
}

std::expected<lab::unique_fd, std::string> listen_at(publication& p) {
  const auto failed = [&](const char* what) {
    return std::unexpected(fmt::format("cannot publish {}: {}: {}", in_words(p), what, std::strerror(errno)));
  };
  const lab::socket_address here(p.outside.address, p.outside.port);
  lab::unique_fd fd(::socket(here.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed("socket");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), here.get(), here.size()) < 0) return failed("bind");
  if (::listen(fd.get(), SOMAXCONN) < 0) return failed("listen");
  sockaddr_in6 bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) < 0) return failed("getsockname");
  p.outside.port = ntohs(bound.sin6_port);  // it stands at the same place in both kinds of address
  return fd;
}

}  // namespace halfopen::control
