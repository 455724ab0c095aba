// halfopen_broken: a server and a client of our own with one defect each, on which the judge is tried.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pair/broken/defect.hpp"

namespace {

using namespace halfopen::broken;

int usage() {
  fmt::print(stderr,
             "usage: halfopen_broken server DEFECT --port PORT\n"
             "       halfopen_broken client DEFECT HOST PORT\n"
             "       halfopen_broken list\n");
  return 2;
}

/// A line a defect, its fields separated by tabs.
int list() {
  for (const defect_entry& d : defects())
    fmt::print("{}\t{}\t{}\t{}\t{}\t{}\n", d.whose == program::server ? "server" : "client", d.name,
               d.sentence, d.fails, d.warns, d.passes);
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "list") return list();
  if (argc != 5) return usage();
  const bool serves = std::string_view(argv[1]) == "server";
  if (!serves && std::string_view(argv[1]) != "client") return usage();
  const auto chosen = find_defect(serves ? program::server : program::client, argv[2]);
  if (!chosen) {
    fmt::print(stderr, "halfopen_broken: the {} has no defect '{}'; see halfopen_broken list\n", argv[1],
               argv[2]);
    return 2;
  }
  the_defect = *chosen;
  return serves ? serve(static_cast<std::uint16_t>(std::atoi(argv[4]))) : call(argv[3], argv[4]);
}
