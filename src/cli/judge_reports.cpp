#include "cli/judge_reports.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "cli/report_file.hpp"
#include "judge/document.hpp"

namespace halfopen::cli {
namespace {

using judgements = std::span<const judge::judgement>;

struct report_kind {
  const char* name;
  const char* what_for;
  std::string (*made)(judgements, bool strict);
};

constexpr std::array kinds{
    report_kind{"json", "write all that is known there; - for the standard output",
                [](judgements all, bool) { return judge::to_json_document(all, HALFOPEN_VERSION); }},
    report_kind{"junit", "write JUnit XML for a CI server", judge::to_junit},
    report_kind{"html", "write a page: the matrix, and for every case its packets",
                [](judgements all, bool) { return judge::to_html(all); }},
    report_kind{"summary", "write Markdown for a pull request: what is no pass, and what to change",
                [](judgements all, bool) { return judge::to_markdown(all); }},
    report_kind{"annotations", "write what is no pass as commands for GitHub's runner (::error title=...)",
                judge::to_annotations},
    report_kind{"badge", "write a picture (SVG) with the counts", judge::to_badge},
};

}  // namespace

std::vector<judge::judgement> read_judgements(const std::vector<std::string>& paths) {
  std::vector<judge::judgement> parts;
  for (const std::string& path : paths) {
    std::ifstream file(path == "-" ? "/dev/stdin" : path.c_str(), std::ios::binary);
    if (!file) throw usage_error("cannot read " + path + ": " + std::strerror(errno));
    if (std::error_code why; std::filesystem::is_directory(path, why))  // which can be opened
      throw usage_error("cannot read " + path + ": it is a folder");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto found = judge::from_json_document(text);
    if (!found) throw usage_error(path + ": " + found.error());
    for (judge::judgement& j : *found) parts.push_back(std::move(j));
  }
  return parts;
}

std::set<std::string> judge_reports::names() {
  std::set<std::string> all;
  for (const report_kind& k : kinds) all.insert(k.name);
  return all;
}

void judge_reports::add_options(CLI::App& verb) {
  for (const report_kind& k : kinds)
    verb.add_option(std::string("--") + k.name, files_[k.name], k.what_for)->type_name("FILE");
}

void judge_reports::check() const {
  std::vector<std::string> paths;
  for (const auto& [name, path] : files_) paths.push_back(path);
  check_apart(paths);
  for (const std::string& path : paths) check_report(path);
}

std::FILE* judge_reports::for_people() const {
  const bool taken = std::ranges::any_of(files_, [](const auto& f) { return f.second == "-"; });
  return taken ? stderr : stdout;
}

void judge_reports::write(judgements pairs, bool strict) const {
  for (const report_kind& k : kinds) {
    const auto file = files_.find(k.name);
    if (file != files_.end() && !file->second.empty()) write_report(file->second, k.made(pairs, strict));
  }
}

}  // namespace halfopen::cli
