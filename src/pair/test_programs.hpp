#ifndef HALFOPEN_PAIR_TEST_PROGRAMS_HPP
#define HALFOPEN_PAIR_TEST_PROGRAMS_HPP

/// For tests: the pair's programs as processes, and their options in a line.

#include <gtest/gtest.h>

#include "pair/pair.hpp"
#include "pair/test_process.hpp"

namespace halfopen::pair::test {

inline constexpr kind kinds[]{kind::naive, kind::robust};
inline constexpr std::chrono::milliseconds moment{100};  // for what should not come

struct running_server : process {
  explicit running_server(serve_options options)
      : process([options]() mutable {
          options.port = 0;
          return serve(options);
        }) {
    const std::string line = read_line(out());
    const std::size_t colon = line.rfind(':');
    EXPECT_TRUE(line.starts_with("listening on 127.0.0.1:")) << line;
    if (colon != std::string::npos) port = static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
  }
  [[nodiscard]] std::string target() const { return "127.0.0.1:" + std::to_string(port); }
  std::uint16_t port = 0;
};

inline serve_options server_of(kind k, service s, format how = format::text,
                               std::string_view machine = "native") {
  serve_options o;
  o.kind = k;
  o.service = s;
  o.how = how;
  o.machine = parse_layout(machine).value();
  return o;
}

inline call_options client_of(kind k, service s, const std::string& target, format how = format::text,
                              std::string_view machine = "native") {
  call_options o;
  o.kind = k;
  o.service = s;
  o.how = how;
  o.machine = parse_layout(machine).value();
  o.targets = {target};
  return o;
}

}  // namespace halfopen::pair::test

#endif
