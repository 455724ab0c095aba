#ifndef HALFOPEN_SRC_AUDIT_SERVICES_HPP
#define HALFOPEN_SRC_AUDIT_SERVICES_HPP

#include <cstdint>
#include <string_view>

namespace halfopen::audit {

/// What is usually spoken at a port, and what its programs call the options that notice a dead peer. Texts
/// live for ever; the sources are each project's own reference, named in docs/audit.md.
struct service {
  std::uint16_t port = 0;
  std::string_view name;
  std::string_view client;  ///< what a program sets that connects there; empty: no words of its own
  std::string_view server;  ///< what the one that listens sets
};

/// Nullptr if the port tells nothing.
[[nodiscard]] const service* service_at(std::uint16_t port) noexcept;

}  // namespace halfopen::audit

#endif
