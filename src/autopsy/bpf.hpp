#ifndef HALFOPEN_SRC_AUTOPSY_BPF_HPP
#define HALFOPEN_SRC_AUTOPSY_BPF_HPP

/// tcpdump's filters, on frames that were captured.

#include <expected>
#include <functional>
#include <string>

#include "halfopen/trace/capture.hpp"

namespace halfopen::autopsy {

/// What tells whether a frame passes "host 10.0.0.1 and port 80" (pcap-filter(7)); the error is
/// libpcap's. A frame of a link for which the filter cannot be made does not pass.
[[nodiscard]] std::expected<std::function<bool(const trace::captured_frame&)>, std::string> bpf_filter_of(
    const std::string& expression);

}  // namespace halfopen::autopsy

#endif
