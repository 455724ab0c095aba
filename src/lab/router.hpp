#ifndef HALFOPEN_SRC_LAB_ROUTER_HPP
#define HALFOPEN_SRC_LAB_ROUTER_HPP

#include <cstddef>
#include <span>
#include <vector>

#include "halfopen/lab/fault.hpp"
#include "halfopen/trace/address.hpp"

namespace halfopen::lab {

/// The Ethernet frame with which a router tells the sender of `frame` that it
/// could not be delivered (RFC 792, RFC 4443 section 3.1). Empty if the frame is
/// not IP, or is itself an ICMP error.
std::vector<std::byte> unreachable_answer(std::span<const std::byte> frame, const trace::ip_address& router,
                                          unreachable_kind what);

}  // namespace halfopen::lab

#endif
