#ifndef HALFOPEN_SRC_LAB_ACCEPT_GATE_HPP
#define HALFOPEN_SRC_LAB_ACCEPT_GATE_HPP

#include <linux/seccomp.h>
#include <sys/types.h>

#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "halfopen/lab/accept.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/loop.hpp"

namespace halfopen::lab {

/// Stands between a program and its accept calls, and answers them as another
/// kernel would. See the essay in accept_gate.cpp.
class accept_gate {
 public:
  accept_gate(loop& events, unique_fd notifications, accept_flavour like,
              std::function<void(std::string)> note);
  ~accept_gate();
  accept_gate(const accept_gate&) = delete;
  accept_gate& operator=(const accept_gate&) = delete;

  [[nodiscard]] const std::vector<accept_event>& seen() const noexcept { return seen_; }
  [[nodiscard]] bool saw_io_uring() const noexcept { return saw_io_uring_; }

 private:
  /// An accept call that waits for an answer.
  struct call {
    seccomp_notif notice{};
    unique_fd listener;
    bool blocking = false;
  };
  /// A connection accepted for a call that was taken back by a signal.
  struct undelivered {
    ino_t listener;
    unique_fd connection;
  };
  using call_handle = std::list<call>::iterator;

  void on_notice(std::uint32_t events);
  void begin(const seccomp_notif& notice);
  void try_to_answer(call_handle c);
  bool answer_with(call_handle c, unique_fd connection);
  void hand_over(call_handle c, unique_fd connection, bool dead);
  void fail(call_handle c, int errno_value);
  void respond(const seccomp_notif& notice, int errno_value, bool go_on);
  void finish(call_handle c);
  [[nodiscard]] bool still_waiting(const call& c) const;
  void saw(accept_event::kind what, int errno_value = 0, bool dead = false);

  loop& events_;
  unique_fd notifications_;
  accept_flavour like_;
  std::function<void(std::string)> note_;
  std::list<call> waiting_;
  std::vector<undelivered> undelivered_;
  std::vector<accept_event> seen_;
  bool saw_io_uring_ = false;
};

}  // namespace halfopen::lab

#endif
