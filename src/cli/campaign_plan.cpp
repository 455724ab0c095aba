#include "cli/campaign_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/usage_error.hpp"
#include "judge/document.hpp"

namespace halfopen::cli {
namespace {

using std::chrono::milliseconds;

/// More lines are no plan of ours.
constexpr std::size_t most_jobs = 100'000;

campaign_job job_of(const nlohmann::json& j) {
  campaign_job job;
  j.at("job").get_to(job.number);
  job.folder = j.at("folder").get<std::string>();
  j.at("arguments").get_to(job.arguments);
  job.report = j.at("report").get<std::string>();
  job.cost = milliseconds(j.at("cost_ms").get<milliseconds::rep>());
  return job;
}

}  // namespace

std::vector<std::size_t> share_out(const std::vector<campaign_part>& parts, std::size_t shards) {
  const auto known = std::ranges::count_if(parts, [](const auto& p) { return p.cost > milliseconds{}; });
  const milliseconds sum = std::accumulate(parts.begin(), parts.end(), milliseconds{},
                                           [](milliseconds s, const auto& p) { return s + p.cost; });
  const milliseconds mean = known == 0 ? milliseconds{1} : sum / known;
  std::vector<milliseconds> cost;
  for (const campaign_part& p : parts) cost.push_back(p.cost > milliseconds{} ? p.cost : mean);
  std::vector<std::size_t> given(parts.size(), 1);
  // Each further one to the part whose shards are the dearest by then.
  for (std::size_t left = shards > parts.size() ? shards - parts.size() : 0; left > 0; --left) {
    std::size_t dearest = 0;
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (cost[i] / static_cast<double>(given[i]) > cost[dearest] / static_cast<double>(given[dearest]))
        dearest = i;
    ++given[dearest];
  }
  return given;
}

std::string to_line(const campaign_job& job) {
  const nlohmann::json j{{"job", job.number},
                         {"folder", job.folder.string()},
                         {"arguments", job.arguments},
                         {"report", job.report.string()},
                         {"cost_ms", job.cost.count()}};
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<campaign_job> read_plan(const std::string& path) {
  std::ifstream file(path == "-" ? "/dev/stdin" : path);
  if (!file) throw usage_error("cannot read " + path + ": " + std::strerror(errno));
  std::vector<campaign_job> jobs;
  std::string line;
  while (std::getline(file, line)) {
    const std::string place = fmt::format("{}:{}: ", path, jobs.size() + 1);
    try {
      jobs.push_back(job_of(nlohmann::json::parse(line)));
    } catch (const nlohmann::json::exception&) {
      throw usage_error(place + "no job of a campaign; halfopen campaign plan writes such files");
    }
    if (jobs.back().number != jobs.size())
      throw usage_error(
          fmt::format("{}job {} stands where job {} should", place, jobs.back().number, jobs.size()));
    if (jobs.size() > most_jobs) throw usage_error(fmt::format("{}more than {} jobs", place, most_jobs));
  }
  if (jobs.empty()) throw usage_error(path + ": no job is in it; halfopen campaign plan writes such files");
  return jobs;
}

bool is_done(const campaign_job& job) {
  std::ifstream file(job.report, std::ios::binary);
  if (!file) return false;
  const auto found = judge::from_json_document(std::string{std::istreambuf_iterator<char>(file), {}});
  return found && std::ranges::none_of(*found, [](const auto& j) { return j.interrupted; });
}

}  // namespace halfopen::cli
