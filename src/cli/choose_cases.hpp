#ifndef HALFOPEN_SRC_CLI_CHOOSE_CASES_HPP
#define HALFOPEN_SRC_CLI_CHOOSE_CASES_HPP

#include <vector>

#include "cli/test_arguments.hpp"

namespace halfopen::cli {

/// What --case, --replay, --skip, --subject and --shard leave of the catalogue. Throws
/// usage_error if that is nothing, or if a pattern fits nothing.
[[nodiscard]] std::vector<const judge::judge_case*> cases_of_catalogue(const test_arguments& a);
/// The same of a system: each outage on each of its links.
[[nodiscard]] std::vector<const judge::judge_case*> outages_of(const test_arguments& a,
                                                               const judge::system& what);

/// The same of the places that a pair's exchange has, for --torture; then --sample of them.
[[nodiscard]] std::vector<const judge::judge_case*> cases_of_torture(const test_arguments& a,
                                                                     const judge::baseline& base);
/// The same of the packets that a service's reconnection has.
[[nodiscard]] std::vector<const judge::judge_case*> cases_of_torture(const test_arguments& a,
                                                                     const judge::system& what,
                                                                     const judge::steady_state& usual);

/// "2/3" is the second third; empty is all. Throws usage_error.
[[nodiscard]] judge::shard parse_shard(const std::string& text);

/// Of --request and --connection: throws usage_error unless it is a number from 1 on, "all" or empty.
void check_place(const std::string& option, const std::string& text);

/// The cases that fall on a request, at the requests that `which` names (--request); by default at the
/// last whose reply the client waits for, and at the first if that is another one.
[[nodiscard]] std::vector<const judge::judge_case*> at_requests(
    const std::vector<const judge::judge_case*>& chosen, const judge::baseline& base,
    const std::string& which);

/// The same, and on the connections that `connection` names (--connection), where the client has several; by
/// default on the main one.
[[nodiscard]] std::vector<const judge::judge_case*> at_places(
    const std::vector<const judge::judge_case*>& chosen, const judge::baseline& base,
    const std::string& request, const std::string& connection);

}  // namespace halfopen::cli

#endif
