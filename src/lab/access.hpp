#ifndef HALFOPEN_SRC_LAB_ACCESS_HPP
#define HALFOPEN_SRC_LAB_ACCESS_HPP

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "lab/cable.hpp"
#include "lab/host_init.hpp"
#include "lab/loop.hpp"

/// What the parts of the lab know of each other, behind the public headers.

namespace halfopen::lab {

struct host::state {
  experiment* lab = nullptr;
  std::string name;
  trace::ip_address v4, v6, address;
  std::size_t port = 0;  ///< at the cable
  host_files files;
  std::vector<std::pair<std::string, std::string>> sysctls;
  std::vector<std::unique_ptr<process>> processes;

  bool up = false;
  pid_t init = -1;
  ino_t pid_namespace = 0;
  unique_fd init_pidfd, network;
  unique_fd disk;  ///< init_line::wait_until_ready()
  init_line line;
};

struct experiment::state {
  loop events;
  trace::ip_address router;
  std::unique_ptr<cable> wire;
  std::vector<std::unique_ptr<host>> hosts;
  std::function<std::chrono::nanoseconds()> excused;
  bool wait(cable::stop when, const match* which, const std::function<bool()>& condition, duration limit);
};

struct experiment_access {
  static experiment::state& of(experiment& e) { return *e.state_; }
};

struct host_access {
  using state = host::state;
  static std::unique_ptr<host> make(std::unique_ptr<host::state> s) {
    return std::unique_ptr<host>(new host(std::move(s)));
  }
  static host::state& of(host& h) { return *h.state_; }
  static const host::state& of(const host& h) { return *h.state_; }
  static cable& wire(host& h) { return *experiment_access::of(h.lab()).wire; }
  static cable::port& port(host& h) { return wire(h).at(of(h).port); }

  /// A fresh set of namespaces with the host's name, address and settings.
  static void power_on(host& h);
  static void start_init(host& h);
  static void plug_in(host& h);
  /// Every process of the host dies now.
  static void power_off(host& h);
};

struct process_access {
  static std::unique_ptr<process> start(host& where, program what);
  /// It has been sent SIGKILL: waits for its end, and takes its last output.
  static void reap(process& p);
};

}  // namespace halfopen::lab

#endif
