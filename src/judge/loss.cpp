#include "judge/loss.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "judge/stage.hpp"

namespace halfopen::judge {

lost_peer::lost_peer(stage& s, loss how, subject who, server_part* part)
    : stage_(s),
      how_(how),
      host_(who == subject::server ? s.server : s.client),
      side_(who == subject::server ? trace::side::responder : trace::side::opener),
      part_(part) {}

void lost_peer::lose() {
  for (const trace::connection* c : stage_.lab.traffic().connections()) {
    const trace::flow& f = c->of(side_);
    before_.push_back({c, c->handshake_done && !f.fin && !f.rst, f.rst.has_value()});
  }
  if (how_ == loss::stop)
    stop();
  else
    stage_.inject([&] { do_it(); });
}

void lost_peer::do_it() {
  stage& s = stage_;
  switch (how_) {
    case loss::kill:
      if (part_ != nullptr) return part_->die();
      lab::kill(host_);
      done_ = s.lab.until([&] { return host_.is_empty(); }, s.soon);
      return;
    case loss::reset:
      if (part_ != nullptr) return part_->reset();
      if (lab::reset_connections(host_) == 0)
        throw no_verdict(obstacle::not_there, "there is no connection here that could be reset");
      return;
    case loss::crash:
      return lab::crash(host_);
    case loss::reboot:
      if (side_ == trace::side::responder) {
        done_ = s.reboot_server();
        return;
      }
      [[fallthrough]];
    case loss::host_reboot:
      lab::reboot(host_, s.disk());
      s.lab.release();
      done_ = host_.sockets().empty();
      return;
    case loss::cut:
      return lab::unplug(host_);
    case loss::host_unreachable:
      return lab::make_unreachable(host_, lab::unreachable_kind::host);
    case loss::network_unreachable:
      return lab::make_unreachable(host_, lab::unreachable_kind::network);
    case loss::forgotten:
      return lab::forget(s.lab, part_->peer());
    case loss::disowned:
      return lab::answer_as_forgotten(s.lab);
    case loss::close_and_reset:
      part_->shut_writing();
      return part_->reset();
    case loss::freeze:
      if (side_ == trace::side::responder) s.kernel_answers();
      return lab::freeze(host_);
    case loss::stop:
      return;
  }
}

/// It stands still until it has both, what is on its way and the signal: else their race would decide.
void lost_peer::stop() {
  stage_.hold_server();
  stage_.lab.run_for(20ms);
  stage_.terminate_server();
  stage_.resume_server();
  if (stage_.faulty()) stage_.lab.until([&] { return host_.is_empty(); }, stage_.under_test.grace);
}

/// The connection that is played as the main one.
lab::match lost_peer::of_the_part() const {
  return lab::from(host_) && lab::on(part_->peer());
}

void lost_peer::prove_at_once() {
  stage& s = stage_;
  const lab::match to_the_other = lab::to(side_ == trace::side::responder ? s.client : s.server);
  switch (how_) {
    case loss::kill:
      if (part_ != nullptr) s.prove_after(of_the_part() && lab::fin(), "FIN from the " + host_.name());
      return;
    case loss::reset:
      if (part_ != nullptr) s.prove_after(of_the_part() && lab::reset(), "RST from the " + host_.name());
      return;
    case loss::close_and_reset:
      s.prove_after(of_the_part() && lab::reset(), "FIN and RST from the " + host_.name());
      return;
    case loss::host_unreachable:
    case loss::network_unreachable:
      s.prove_after(lab::icmp() && to_the_other, "ICMP unreachable from the router");
      return;
    case loss::host_reboot:
      s.prove_forgotten(host_, part_->peer(), s.main_connection(), side_);
      return;
    case loss::reboot:
      s.prove(done_, fmt::format("the {}'s host is back, and its kernel knows none of its connections",
                                 host_.name()));
      return;
    case loss::forgotten:
      s.prove_after(lab::retransmission(s.client) && s.on_main(),
                    "the client's next request is repeated, and never answered");
      return;
    case loss::disowned:
      s.prove_after(to_the_other && lab::reset(), "RST from the middlebox");
      return;
    case loss::freeze: {
      const lab::unique_fd probe = s.witness.begin_to_connect(host_, s.port());
      s.prove_after(lab::from(host_) && lab::to(s.witness) && lab::syn_ack(),
                    fmt::format("the kernel of the {}'s host accepts connections", host_.name()));
      return;
    }
    case loss::crash:
    case loss::cut:
    case loss::stop:
      return;
  }
}

/// The host answers nobody: a SYN from the witness, which a living kernel would answer at once, is not
/// answered; and nothing came from there on any connection since the fault.
void lost_peer::prove_gone() {
  auto all = stage_.lab.traffic().connections();
  std::erase_if(all, [&](const trace::connection* c) {
    return (side_ == trace::side::opener ? c->opener : c->responder).address != host_.address();
  });
  const auto silent = [&](const trace::connection* c) {
    return play::silent_since(*c, side_, stage_.fault_at());
  };
  stage_.prove(!all.empty() && std::ranges::all_of(all, silent),
               fmt::format("not a segment more of any connection came from the {}'s host", host_.name()));
  stage_.prove_unanswered(host_);
}

void lost_peer::prove_silence() {
  stage& s = stage_;
  if (how_ == loss::crash || how_ == loss::cut) return prove_gone();
  if (how_ == loss::reboot && side_ == trace::side::responder) {
    const auto closed = [&](const before& b) { return b.was_open && b.on->of(side_).fin; };
    s.prove(std::ranges::none_of(before_, closed), "no FIN came from the host that rebooted");
  }
  if (how_ == loss::freeze) {
    const auto spoke = [&](const trace::connection* c) {
      const auto& last = c->of(side_).last_data;
      return last && last->when > s.fault_at();
    };
    s.prove(std::ranges::none_of(s.lab.traffic().connections(), spoke),
            fmt::format("the {} said nothing since", host_.name()));
    return;
  }
  if (part_ != nullptr) {
    // A FIN or RST alone may be what comes with nothing wrong.
    if (how_ == loss::kill || how_ == loss::reset || how_ == loss::close_and_reset)
      s.prove(s.lab.until([&] { return host_.is_empty(); }, s.soon),
              fmt::format("no process is left on the {}'s host", host_.name()));
    return;
  }
  if (how_ == loss::kill) {
    s.prove(done_, fmt::format("no process was left on the {}'s host", host_.name()));
    const auto ended = [&](const before& b) {
      return !b.was_open || b.on->of(side_).fin || b.on->of(side_).rst;
    };
    s.prove(std::ranges::all_of(before_, ended), "FIN or RST from the kernel of what was killed");
  } else if (how_ == loss::reset) {
    const auto reset_since = [&](const before& b) { return !b.was_reset && b.on->of(side_).rst; };
    s.prove(std::ranges::any_of(before_, reset_since), "RST from there");
  }
}

}  // namespace halfopen::judge
