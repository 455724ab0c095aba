#ifndef HALFOPEN_SRC_AUDIT_FAULTS_HPP
#define HALFOPEN_SRC_AUDIT_FAULTS_HPP

#include <span>
#include <vector>

#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// faults_of(), of a socket whose risk is known already.
[[nodiscard]] std::vector<fault> faults_with(const tcp_socket& s, const risk& r, const snapshot& in,
                                             const patience& p, std::span<const tcp_socket* const> waiting);

}  // namespace halfopen::audit

#endif
