#ifndef HALFOPEN_BENCH_CAPTURE_GENERATOR_HPP
#define HALFOPEN_BENCH_CAPTURE_GENERATOR_HPP

#include <cstdint>
#include <string>

namespace halfopen::bench {

/// What a generated capture holds.
struct capture_plan {
  std::uint64_t packets = 10'000'000;
  std::uint64_t connections = 100'000;
  std::uint64_t at_one_time = 1'000;  ///< connections that take turns; as one ends the next begins
};

/// Writes a pcap file (nanoseconds, Ethernet, IPv4): requests and replies of 40 to 1460
/// bytes, each acknowledged, on connections of packets/connections packets each, which end
/// in turn by FIN, by RST, in silence, and without being answered. The same plan makes the
/// same bytes. Ends the program if it cannot write.
/// \return bytes written
std::uint64_t generate_capture(const std::string& path, const capture_plan& plan);

}  // namespace halfopen::bench

#endif
