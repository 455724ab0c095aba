#include "judge/system/lost_dependency.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/stage.hpp"
#include "lab/socket_address.hpp"

namespace halfopen::judge {
namespace {

/// ... so that no packet may be left out; of the others a storm may leave very many.
bool proved_by_what_never_came(outage how) {
  switch (how) {
    case outage::vanished:
    case outage::moved:
    case outage::link_cut:
    case outage::frozen:
    case outage::mute:
    case outage::forgotten:
    case outage::disowned:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_away_for_all(outage how) noexcept {
  switch (how) {
    case outage::link_cut:
    case outage::unreachable:
    case outage::forgotten:
    case outage::disowned:
    case outage::reset:
      return false;
    default:
      return true;
  }
}

lost_dependency::lost_dependency(const judged_link& which, outage how)
    : on_(which),
      scene_(which.world),
      how_(how),
      service_(which.service()),
      dependency_(which.dependency()),
      now_(&dependency_) {}

void lost_dependency::lose() {
  before_ = on_.open_connections();
  lost_at_ = lab::experiment::now();
  if (scene_.description.without_fault) return;
  switch (how_) {
    case outage::killed:
    case outage::lost_again:
    case outage::ten_times:
    case outage::stopped:
      return lab::kill(dependency_);
    case outage::mute:
      return listen_and_never_speak();
    case outage::vanished:
      return lab::crash(dependency_);
    case outage::link_cut:
      return lab::cut(service_, dependency_);
    case outage::unreachable:
      return lab::make_unreachable(service_, dependency_, lab::unreachable_kind::host);
    case outage::frozen:
      lab::freeze(dependency_);
      lost_at_ = lab::experiment::now();
      return;
    case outage::forgotten:
    case outage::disowned:
      count_ = lab::forget_connections(
          service_, dependency_,
          how_ == outage::forgotten ? lab::forgotten::silently : lab::forgotten::with_reset);
      break;
    case outage::reset:
      count_ = lab::reset_connections(dependency_, service_);
      break;
    case outage::moved:
      lab::move_name(dependency_, scene_.host(spare_of(on_.name.to)));
      now_ = &scene_.host(spare_of(on_.name.to));
      return lab::crash(dependency_);
    case outage::terminated:  // as init does: a grace, then SIGKILL
      lab::terminate(dependency_);
      if (!scene_.go_on(std::chrono::seconds(10), [&] { return dependency_.is_empty(); }))
        lab::kill(dependency_);
      return;
    case outage::not_there_yet:
      return;
  }
  if (count_ == 0)
    throw no_verdict(obstacle::not_there,
                     fmt::format("{} has no connection to {} at this moment", on_.name.from, on_.name.to));
}

/// Its program is gone, and the ports at which the service knew it are listened at by a program that never
/// calls accept: the handshake is the kernel's.
void lost_dependency::listen_and_never_speak() {
  lab::kill(dependency_);
  const auto gone = [&] { return dependency_.is_empty(); };
  if (!scene_.lab.until(gone, on_.soon)) throw lab::error("the programs of " + on_.name.to + " do not end");
  scene_.lab.note("something listens on the " + on_.name.to + " host, and never accepts or speaks");
  for (const std::uint16_t port : on_.usual.ports.at(on_.name.name())) {
    lab::unique_fd fd;
    const lab::socket_address here(dependency_.address(), port);
    dependency_.in_network([&] {
      const int family = dependency_.address().is_v6() ? AF_INET6 : AF_INET;
      fd.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const int on = 1;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      constexpr int roomy = 4096;
      if (::bind(fd.get(), here.get(), here.size()) < 0 || ::listen(fd.get(), roomy) < 0)
        throw lab::error("listening in the place of " + on_.name.to, errno);
    });
    mute_.push_back(std::move(fd));
  }
}

bool lost_dependency::reached_by_witness() {
  const auto ports = on_.usual.ports.find(on_.name.name());
  if (ports == on_.usual.ports.end() || ports->second.empty()) return false;
  const lab::unique_fd probe = scene_.witness.begin_to_connect(*now_, ports->second.front());
  // Of the peer's answer the packets tell: a socket is writable after a refusal too.
  return scene_.lab.after(lab::from(*now_) && lab::to(scene_.witness) && lab::syn_ack(), milliseconds(500));
}

void lost_dependency::prove_lost() {
  const auto told = [&](const trace::connection* c) {
    const trace::flow& f = c->of(trace::side::responder);
    return f.fin || f.rst;
  };
  switch (how_) {
    case outage::killed:
    case outage::lost_again:
    case outage::ten_times:
    case outage::stopped:
    case outage::mute:
    case outage::terminated:
      on_.proofs.prove(scene_.lab.until([&] { return dependency_.is_empty(); }, on_.soon),
                       fmt::format("no process is left on the {} host", on_.name.to));
      on_.proofs.prove(scene_.lab.until([&] { return std::ranges::all_of(before_, told); }, on_.soon),
                       fmt::format("FIN or RST from {} on each connection that was open ({})", on_.name.to,
                                   before_.size()));
      if (how_ == outage::mute)
        on_.proofs.prove(reached_by_witness(), "the witness connects to what listens there now");
      return;
    case outage::vanished:
    case outage::moved:
      on_.proofs.prove_unanswered(scene_.witness, dependency_);
      return;
    case outage::link_cut:
    case outage::unreachable:
      on_.proofs.prove(reached_by_witness(),
                       fmt::format("{} lives: the witness connects to it", on_.name.to));
      return;
    case outage::frozen:
      on_.proofs.prove(reached_by_witness(),
                       fmt::format("the kernel of {} accepts connections", on_.name.to));
      return;
    case outage::reset:
      on_.proofs.prove(
          scene_.lab.until([&] { return std::ranges::all_of(before_, told); }, on_.soon),
          fmt::format("RST from {} on each connection that was open ({})", on_.name.to, before_.size()));
      return;
    case outage::not_there_yet:
      on_.proofs.prove(!reached_by_witness(), fmt::format("nobody listens at {} yet", on_.name.to));
      return;
    case outage::forgotten:
    case outage::disowned:
      return;
  }
}

void lost_dependency::start() {
  const auto limit = std::max<milliseconds>(on_.soon, 10 * on_.usual.start_of(on_.name.to));
  scene_.begin(on_.name.to, on_.name.to);
  scene_.until_ready(on_.name.to, on_.name.to, limit);
  const auto ports = on_.usual.ports.find(on_.name.name());
  if (ports == on_.usual.ports.end()) return;
  const auto all_listen = [&] {  // another one may be opened first
    const auto open = dependency_.listening_ports();
    return std::ranges::all_of(ports->second, [&](auto port) { return std::ranges::count(open, port) > 0; });
  };
  if (!scene_.go_on(limit, all_listen)) throw lab::error(on_.name.to + " does not listen where it did");
}

void lost_dependency::give_back() {
  returns_at_ = lab::experiment::now();
  returns_after_ = scene_.lab.packets();
  if (!scene_.description.without_fault) switch (how_) {
      case outage::vanished:
        lab::reboot(dependency_, scene_.description.disk_lost ? lab::disk::lost : lab::disk::kept);
        start();
        break;
      case outage::link_cut:
      case outage::unreachable:
        lab::heal(service_, dependency_);
        break;
      case outage::frozen:
        lab::thaw(dependency_);
        break;
      case outage::mute:
      case outage::killed:
      case outage::lost_again:
      case outage::ten_times:
      case outage::stopped:
      case outage::terminated:
      case outage::not_there_yet:
        mute_.clear();
        start();
        break;
      case outage::forgotten:
      case outage::disowned:
      case outage::reset:
      case outage::moved:
        break;
    }
}

void lost_dependency::prove_back() {
  bool reached = false;
  for (int tries = 0; tries < 5 && !reached; ++tries) reached = reached_by_witness();
  on_.proofs.prove(reached, fmt::format("{} is there: the witness connects to it", now_->name()));
}

bool lost_dependency::unused() const {
  if (how_ != outage::forgotten && how_ != outage::disowned) return false;
  // Who waits for what the other one pushes says nothing itself.
  return std::ranges::none_of(before_, [&](const trace::connection* c) {
    return std::ranges::any_of(std::array{trace::side::opener, trace::side::responder}, [&](trace::side s) {
      return c->of(s).last_heard && c->of(s).last_heard->when > lost_at_;
    });
  });
}

/// A worker that waits for a job says nothing meanwhile, and loses its connection all the same.
void lost_dependency::prove_concerned() {
  if (on_.packets.sent_by_service(lost_at_, returns_at_) > 0)
    on_.proofs.prove(true, fmt::format("{} sent to {}", on_.name.from, on_.name.to));
  else
    on_.proofs.prove(!before_.empty(), fmt::format("{} had connections to {} ({})", on_.name.from,
                                                   on_.name.to, before_.size()));
}

void lost_dependency::prove_afterwards() {
  if (proved_by_what_never_came(how_))
    on_.proofs.prove(on_.packets.is_complete(), "every packet of the link was looked at");
  const auto all = scene_.lab.traffic().connections();
  const auto since = [&](const trace::connection* c) {
    return c->opener.address == service_.address() && c->responder.address == dependency_.address() &&
           c->last.when > lost_at_;
  };
  const auto until = how_ == outage::moved ? scene_.lab.packets() : returns_after_;
  switch (how_) {
    case outage::vanished:
    case outage::moved:
    case outage::link_cut:
      on_.proofs.prove(on_.packets.delivered(lost_at_, until) == 0,
                       fmt::format("no packet got through between {} and {}", on_.name.from, on_.name.to));
      prove_concerned();
      return;
    case outage::unreachable:
      on_.proofs.prove(
          std::ranges::any_of(
              all,
              [&](const auto* c) { return since(c) && c->last_icmp && c->last_icmp->where.when > lost_at_; }),
          "a router told the service that the host cannot be reached");
      return;
    case outage::frozen:
    case outage::mute:
      on_.proofs.prove(on_.packets.said_by_dependency(lost_at_, returns_at_) == 0,
                       fmt::format("{} said nothing while it was away", on_.name.to));
      return;
    case outage::forgotten:
    case outage::disowned: {
      on_.proofs.prove(!unused(), "a connection that was forgotten was used");
      std::vector<trace::endpoint> openers;
      for (const auto* c : before_) openers.push_back(c->opener);
      // A middlebox's RST is nobody's of the two.
      on_.proofs.prove(on_.packets.delivered_on(openers, lost_at_) == 0,
                       "no packet of theirs arrived any more");
      return;
    }
    default:
      return;
  }
}

}  // namespace halfopen::judge
