#include <signal.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {
namespace {

/// The state letter of proc(5) says that it runs no instruction: stopped, traced, or dead.
bool stands(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_ends = text.rfind(") ");  // the name may have anything in it
  return name_ends == std::string::npos || std::string_view("TtZX").contains(text[name_ends + 2]);
}

}  // namespace

void freeze(host& h) {
  h.lab().note("every process of the " + h.name() + " host is stopped (SIGSTOP)");
  auto all = h.pids();
  for (const pid_t pid : all) ::kill(pid, SIGSTOP);
  const auto all_stand = [&] {
    const auto now = h.pids();  // a child that was made meanwhile is told too
    for (const pid_t pid : now)
      if (std::ranges::count(all, pid) == 0) ::kill(pid, SIGSTOP);
    all = now;
    return std::ranges::all_of(all, stands);
  };
  // At first without the lab: no packet arrives between the signal and its effect.
  for (int tries = 0; tries < 500 && !all_stand(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (!all_stand() && !h.lab().until(all_stand))
    throw error("the processes of the " + h.name() + " host do not stand still");
}

void thaw(host& h) {
  h.lab().note("the processes of the " + h.name() + " host go on (SIGCONT)");
  for (const pid_t pid : h.pids()) ::kill(pid, SIGCONT);
}

}  // namespace halfopen::lab
