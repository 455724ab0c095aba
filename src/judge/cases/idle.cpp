// Something in between forgets the connection: a NAT or a firewall drops its state for want of traffic.

#include "judge/case.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "a NAT may forget an idle connection after two hours and four minutes, and many do sooner (RFC 5382 "
    "section 5)";

constexpr judge_case cases[]{
    at(moment::idle, loss::forgotten, "idle/1", "a middlebox drops the idle connection's state silently",
       rule),
    at(moment::idle, loss::disowned, "idle/2", "a middlebox that has dropped the state answers with RST",
       rule),
};

}  // namespace

const family idle_family{"idle", "something in between forgets the connection", cases};

}  // namespace halfopen::judge
