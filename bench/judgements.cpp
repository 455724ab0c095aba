#include "bench/judgements.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/measure.hpp"

namespace halfopen::bench {

namespace fs = std::filesystem;

judged judge(const std::vector<std::string>& arguments, const fs::path& folder, const fs::path& json) {
  std::vector<std::string> words{HALFOPEN_PROGRAM, "test", "--json", json};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&quiet, folder.c_str());
  judged made;
  int status = 0;
  made.wall = seconds_of([&] {
    pid_t pid = -1;
    if (::posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0 ||
        ::waitpid(pid, &status, 0) != pid)
      throw std::runtime_error("cannot run " HALFOPEN_PROGRAM);
  });
  if (!WIFEXITED(status) || (WEXITSTATUS(status) > 1 && WEXITSTATUS(status) != 4))
    throw std::runtime_error(fmt::format("halfopen test {} did not judge: exit {}", fmt::join(arguments, " "),
                                         WEXITSTATUS(status)));
  std::ifstream file(json);
  const auto document = nlohmann::json::parse(file);
  for (const auto& c : document.at("pairs").at(0).at("cases")) {
    made.verdicts[c.at("id")] = c.at("verdict");
    made.happened[c.at("id")] = c.at("happened");
    made.longest = std::max(made.longest, c.at("took_ms").get<double>() / 1e3);
    made.all += c.at("took_ms").get<double>() / 1e3;
  }
  return made;
}

std::size_t print_differences(const judged& first, const judged& now, int run) {
  std::size_t count = 0;
  for (const auto& [id, verdict] : now.verdicts) {
    const auto before = first.verdicts.find(id);
    if (before != first.verdicts.end() && before->second == verdict) continue;
    fmt::print("  run {}: {} is {} instead of {}\n", run, id, verdict,
               before == first.verdicts.end() ? "nothing" : before->second);
    ++count;
  }
  return count;
}

std::string counts_of(const judged& j) {
  std::map<std::string, int> counts;
  for (const auto& [id, verdict] : j.verdicts) ++counts[verdict];
  std::string text;
  for (const auto& [verdict, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, verdict);
  return text;
}

}  // namespace halfopen::bench
