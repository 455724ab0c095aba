#ifndef HALFOPEN_SRC_LAB_ACCEPT_GATE_HPP
#define HALFOPEN_SRC_LAB_ACCEPT_GATE_HPP

#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "halfopen/lab/accept.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/loop.hpp"

namespace halfopen::lab {

/// Stands between a program and its accept calls, and answers them as another
/// kernel would. See the essay in accept_gate.cpp.
class accept_gate {
 public:
  accept_gate(loop& events, unique_fd notifications, accept_flavour like, experiment& lab);
  ~accept_gate();
  accept_gate(const accept_gate&) = delete;
  accept_gate& operator=(const accept_gate&) = delete;

  /// The next calls that find a connection return these, one each, instead of those
  /// that earlier ones have left over.
  void fail_next(std::vector<int> errnos);
  [[nodiscard]] std::size_t failures_left() const noexcept { return failures_.size(); }

  [[nodiscard]] const std::vector<accept_event>& seen() const noexcept { return seen_; }

 private:
  /// An accept call that waits for an answer.
  struct call {
    seccomp_notif notice{};
    unique_fd listener;
    bool blocking = false;
  };
  /// A connection as accept(2) gives it.
  struct connection {
    unique_fd socket;
    sockaddr_storage peer{};
    socklen_t peer_size = 0;
  };
  /// One that was accepted for a call that a signal then took back.
  struct undelivered {
    ino_t listener;
    connection what;
  };
  using call_handle = std::list<call>::iterator;

  void on_notice(std::uint32_t events);
  void begin(const seccomp_notif& notice);
  void expire_at_receive_timeout(const call& c);
  void keep_looking();
  void drop_taken_back();
  void try_to_answer(call_handle c);
  [[nodiscard]] std::vector<undelivered>::iterator find_undelivered(call_handle c);
  bool fail_as_told(call_handle c);
  bool answer_with(call_handle c, connection made);
  void hand_over(call_handle c, connection made, bool dead);
  void fail(call_handle c, int errno_value, std::string_view because = {});
  void respond(const seccomp_notif& notice, int errno_value, bool go_on);
  void finish(call_handle c);
  [[nodiscard]] bool still_waiting(const call& c) const;
  void saw(accept_event::kind what, int errno_value = 0, bool dead = false);

  loop& events_;
  unique_fd notifications_;
  accept_flavour like_;
  experiment& lab_;
  std::list<call> waiting_;
  std::vector<undelivered> undelivered_;
  std::vector<int> failures_;
  std::vector<accept_event> seen_;
  bool looking_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< timers outlive the gate, and ask
};

}  // namespace halfopen::lab

#endif
