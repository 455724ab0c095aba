// The client that one writes first: read a line from the user, write it to every
// connection, read a reply from each, print it. It works as long as all goes well, and
// it is kept as it is on purpose: nothing in it is sabotaged.
//
// - While it waits for its user it does not look at its sockets, so a server's FIN or
//   RST is seen one request later (UNPv1 section 5.12).
// - A second write after the RST raises SIGPIPE, which kills it.
// - No call has a time limit: a server whose host is gone is noticed after 15 minutes
//   if a request is in flight, and never while it waits for a reply.
// - getline() gives half a line at end-of-file as if it were a whole one.
// - Only the first address of a name is tried.

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "pair/kinds.hpp"
#include "pair/layout.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {
namespace {

struct close_file {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

struct server {
  std::string name;
  std::unique_ptr<std::FILE, close_file> in;  // owns the descriptor too
  int fd = -1;
};

[[noreturn]] void fail(const std::string& name, std::string_view what) {
  fmt::print(stderr, "call: {}: {}\n", name, what);
  std::exit(1);
}

[[noreturn]] void fail_errno(const std::string& name, std::string_view operation) {
  fail(name, fmt::format("{}: {}", operation, errno_text(errno)));
}

server connect_to(const std::string& target) {
  const auto where = parse_endpoint(target);
  if (!where) fail(target, where.error());
  const std::string name = where->text();
  const auto addresses = resolve(*where, false);
  if (!addresses) fail(name, "resolve: " + addresses.error());
  const addrinfo& first = **addresses;
  const int fd = ::socket(first.ai_family, first.ai_socktype, first.ai_protocol);
  if (fd < 0) fail_errno(name, "socket");
  if (::connect(fd, first.ai_addr, first.ai_addrlen) != 0) fail_errno(name, "connect");
  return {name, decltype(server::in){::fdopen(fd, "r")}, fd};
}

void send_bytes(const server& s, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(s.fd, bytes, size);
    if (written < 0) fail_errno(s.name, "write");
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void print_line_from(const server& s) {
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t size = ::getline(&line, &capacity, s.in.get());
  if (size < 0 && std::ferror(s.in.get())) fail_errno(s.name, "read");
  if (size < 0) fail(s.name, "server terminated prematurely");
  std::fputs(line, stdout);
  std::fflush(stdout);
  std::free(line);
}

void print_sum_from(const server& s, const call_options& options) {
  image sum{};
  const ssize_t size = ::read(s.fd, sum.data(), reply_size(options.how, options.machine));
  if (size < 0) fail_errno(s.name, "read");
  if (size == 0) fail(s.name, "server terminated prematurely");
  fmt::print("{}\n", load_sum(options.how, options.machine, sum));
  std::fflush(stdout);
}

// Whether the line was a request.
bool send_request(const std::vector<server>& servers, const call_options& options, const std::string& line) {
  long a = 0;
  long b = 0;
  if (options.service == service::sum && std::sscanf(line.c_str(), "%ld%ld", &a, &b) != 2) {
    fmt::print(stderr, "call: invalid input: {}", line);
    return false;
  }
  const image args = store_request(options.how, options.machine, {a, b});
  const bool raw = options.service == service::sum && is_memory(options.how);
  for (const server& s : servers) {
    if (!raw)
      send_bytes(s, line.data(), line.size());
    else if (::write(s.fd, args.data(), request_size(options.how, options.machine)) < 0)
      fail_errno(s.name, "write");
  }
  return true;
}

void print_replies(const std::vector<server>& servers, const call_options& options) {
  for (const server& s : servers) {
    if (options.service == service::sum && is_memory(options.how))
      print_sum_from(s, options);
    else
      print_line_from(s);
  }
}

}  // namespace

int call_naively(const call_options& options) {
  std::vector<server> servers;
  for (const std::string& target : options.targets) servers.push_back(connect_to(target));

  char* line = nullptr;
  std::size_t capacity = 0;
  int waiting = 0;
  ssize_t size = 0;
  while ((size = ::getline(&line, &capacity, stdin)) > 0) {
    if (send_request(servers, options, std::string(line, static_cast<std::size_t>(size)))) ++waiting;
    if (waiting < options.pipeline) continue;
    for (; waiting > 0; --waiting) print_replies(servers, options);
  }
  for (; waiting > 0; --waiting) print_replies(servers, options);
  std::free(line);
  return 0;
}

}  // namespace halfopen::pair
