// The server that one writes first: a poll() loop over the listening socket and the
// clients, in which every call blocks. It works as long as all goes well, and it is
// kept as it is on purpose: nothing in it is sabotaged, each flaw is one of the first
// chapter's.
//
// - A blocking accept() after a readiness event: where the kernel drops a connection
//   that was reset meanwhile, it blocks until the next client (UNPv1 section 16.6).
// - Any error of accept() is the end of the server (accept(2) lists a dozen that are
//   not the server's fault).
// - stdio on a socket: getline() waits for the rest of a line while all others wait,
//   and takes the next line into its buffer, where poll() does not see it.
// - One read() for one request: TCP keeps no message boundaries.
// - A structure is sent as it lies in memory.
// - SIGPIPE is left alone, SO_REUSEADDR is not set, nothing has a time limit.

#include <fmt/format.h>
#include <poll.h>
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

struct client {
  std::unique_ptr<std::FILE, close_file> in;  // owns the descriptor too
  int fd = -1;
};

bool write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, bytes, size);
    if (written < 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// Each of the three answers one request; false: close this client.

bool answer_echo(client& c) {
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t size = ::getline(&line, &capacity, c.in.get());
  const bool ok = size > 0 && write_all(c.fd, line, static_cast<std::size_t>(size));
  std::free(line);
  return ok;
}

bool answer_sum_text(client& c) {
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t size = ::getline(&line, &capacity, c.in.get());
  long a = 0;
  long b = 0;
  std::string reply = "input error\n";
  if (size > 0 && std::sscanf(line, "%ld%ld", &a, &b) == 2)
    reply = fmt::format("{}\n", add_on(native_layout(), {a, b}));
  std::free(line);
  return size > 0 && write_all(c.fd, reply.data(), reply.size());
}

bool answer_sum_raw(client& c, format how, const layout& machine) {
  image args{};
  if (::read(c.fd, args.data(), request_size(how, machine)) <= 0) return false;
  const image sum = store_sum(how, machine, load_request(how, machine, args));
  return ::write(c.fd, sum.data(), reply_size(how, machine)) > 0;
}

bool answer(client& c, const serve_options& options) {
  if (options.service == service::echo) return answer_echo(c);
  return is_memory(options.how) ? answer_sum_raw(c, options.how, options.machine) : answer_sum_text(c);
}

}  // namespace

int serve_naively(const serve_options& options) {
  const auto listener = listen_on({options.listen_address, std::to_string(options.port)}, false, 0);
  if (!listener) {
    fmt::print(stderr, "serve: {}\n", listener.error());
    return 1;
  }
  fmt::print("listening on {}\n", local_address(listener->get()));
  std::fflush(stdout);

  std::vector<client> clients;
  for (;;) {
    std::vector<pollfd> watched{{listener->get(), POLLIN, 0}};
    for (const client& c : clients) watched.push_back({c.fd, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      fmt::print(stderr, "serve: poll: {}\n", errno_text(errno));
      return 1;
    }
    // From the last to the first, so that one can be erased on the way.
    for (std::size_t i = clients.size(); i > 0; --i)
      if (watched[i].revents != 0 && !answer(clients[i - 1], options))
        clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 1));
    if (watched[0].revents != 0) {
      const int fd = ::accept(listener->get(), nullptr, nullptr);
      if (fd < 0) {
        fmt::print(stderr, "serve: accept: {}\n", errno_text(errno));
        return 1;
      }
      clients.push_back({decltype(client::in){::fdopen(fd, "r")}, fd});
    }
  }
}

}  // namespace halfopen::pair
