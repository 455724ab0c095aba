// The lab under the virtual clock. The captures need no copying: the folder for the evidence is
// the host's own, for writing.

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/guest_shares.hpp"
#include "cli/lab_arguments.hpp"
#include "halfopen/lab/experiment.hpp"
#include "report/pcapng.hpp"

namespace halfopen::cli {
namespace {

using situation::result;
using situation::run_options;

/// Runs a guest, if the user does not say how many. With 15 a guest took up to 195 MB.
constexpr std::size_t usual_runs = 10;

clock::job job_for(const lab_arguments& a, const run_options& options,
                   const std::vector<std::string>& share) {
  std::vector<std::string> line{lab::own_executable(),
                                "lab",
                                "--clock",
                                "real",
                                "--full-length",
                                "--events",
                                "--pair",
                                a.pair,
                                "--ip",
                                a.ip,
                                "--evidence",
                                options.evidence,
                                "--grace",
                                fmt::format("{}", a.grace),
                                "--repeat",
                                std::to_string(a.repeat),
                                "--jobs",
                                std::to_string(share.size())};
  for (const std::string& id : share) line.insert(line.end(), {"--only", id});
  clock::job job = clock::job_here(std::move(line));
  job.directory = "/";
  job.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"};
  job.host_name = "lab";
  job.writable.push_back(options.evidence);
  return job;
}

}  // namespace

int play_for_the_outside(const run_options& base) {
  run_options options = base;
  options.started = [](const std::string& id) { tell_outside({{"started", id}}); };
  options.finished = [](const result& r) { tell_outside({{"id", situation::id_of(r)}, {"finished", r}}); };
  (void)situation::run(options);
  return 0;
}

std::vector<result> play_in_guests(const lab_arguments& arguments, const run_options& options) {
  std::map<std::string, result> results;
  const auto keep = [&](const std::string& id, result r) {
    if (options.finished) options.finished(r);
    results[id] = std::move(r);
  };
  shared_work work;
  work.ids = situation::ids_of(options);
  work.share_size = arguments.jobs != 0 ? arguments.jobs : usual_runs;
  work.guest = arguments.guest;
  work.job = [&](const auto& share) { return job_for(arguments, options, share); };
  work.started = options.started;
  work.finished = [&](const std::string& id, const nlohmann::json& r) { keep(id, r.get<result>()); };
  work.given_up = [&](const std::string& id, const std::string& why) {
    keep(id, situation::broken_run(options, id, why));
  };
  work.cut_off = [&](const std::string& id) {
    report::keep_whole_blocks(
        situation::capture_of(options, id));  // it was cut off in the middle of one, perhaps
  };
  work.tick = options.tick;
  work_in_guests(work);
  std::vector<result> in_order;
  for (const std::string& id : work.ids)
    if (const auto found = results.find(id); found != results.end())
      in_order.push_back(std::move(found->second));
  return in_order;
}

}  // namespace halfopen::cli
