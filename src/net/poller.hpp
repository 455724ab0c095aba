#ifndef HALFOPEN_SRC_NET_POLLER_HPP
#define HALFOPEN_SRC_NET_POLLER_HPP

#include <sys/epoll.h>

#include <array>
#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>

#include "halfopen/unique_fd.hpp"

namespace halfopen::net {

/// A descriptor that is watched for edges.
class polled {
 public:
  /// `anywhere`: came() takes a moment, on any thread that runs the io_context; else it runs what there is to
  /// run, on the only one.
  explicit polled(bool anywhere) noexcept : anywhere_(anywhere) {}
  polled(const polled&) = delete;
  polled& operator=(const polled&) = delete;

 protected:
  virtual ~polled() = default;

 private:
  friend class poller;
  /// epoll(7)'s events. It may remove itself, and others; not if it is `anywhere`, under the poller's lock.
  virtual void came(std::uint32_t events) = 0;
  /// The io_context goes away: the coroutine that waits here goes with it, and `this` perhaps with that.
  virtual void abandon() noexcept = 0;

  polled* before_ = nullptr;  // in the list of all
  polled* after_ = nullptr;
  bool listed_ = false;
  const bool anywhere_;
};

/// An epoll set of the library's own behind one descriptor of Asio's, for each io_context: see poller.cpp.
/// Thread-safe.
class poller : public asio::execution_context::service {
 public:
  using key_type = poller;
  static asio::execution_context::id id;

  explicit poller(asio::io_context& context);
  [[nodiscard]] static poller& of(asio::io_context& context);
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  /// From now on until remove() it is told of each edge; at once of what is there by now. Throws
  /// std::system_error if the kernel does not watch it (EPERM of a regular file, EBADF, ENOSPC).
  void add(polled& what, int fd);
  /// It is told of no edge any more: once this returns, if the caller is on the io_context's thread.
  void remove(polled& what, int fd) noexcept;

 private:
  void shutdown() override;
  void wait();
  void tell();
  void go_on();
  void forget(polled& what) noexcept;

  static constexpr std::size_t at_once = 128;

  asio::io_context& context_;
  std::mutex lock_;
  polled* all_ = nullptr;
  bool waiting_ = false;
  std::array<epoll_event, at_once> events_{};
  std::span<epoll_event> told_{};  // of events_, those that are still to be told
  std::optional<asio::posix::basic_stream_descriptor<asio::io_context::executor_type>> set_;
};

}  // namespace halfopen::net

#endif
