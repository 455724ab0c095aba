// A filter is compiled once for each link that the capture has: offsets differ.

#include "autopsy/bpf.hpp"

#include <pcap/pcap.h>

#include <map>
#include <memory>
#include <utility>

namespace halfopen::autopsy {
namespace {

struct program {
  bpf_program code{};
  bool made = false;

  explicit program(int linktype, const std::string& expression, std::string* why = nullptr) {
    constexpr int snaplen = 262'144;
    pcap_t* dead = pcap_open_dead(linktype, snaplen);
    if (dead == nullptr) return;
    made = pcap_compile(dead, &code, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!made && why != nullptr) *why = pcap_geterr(dead);
    pcap_close(dead);
  }
  ~program() {
    if (made) pcap_freecode(&code);
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;
};

/// The numbers of raw IP are the only ones among those that are read that differ.
int dlt_of(std::uint16_t linktype) {
  return linktype == 101 ? DLT_RAW : linktype;
}

}  // namespace

std::expected<std::function<bool(const trace::captured_frame&)>, std::string> bpf_filter_of(
    const std::string& expression) {
  std::string why;
  if (const program trial{DLT_EN10MB, expression, &why}; !trial.made) return std::unexpected{why};
  const auto programs = std::make_shared<std::map<std::uint16_t, program>>();
  return [programs, expression](const trace::captured_frame& f) {
    const program& p = programs->try_emplace(f.linktype, dlt_of(f.linktype), expression).first->second;
    if (!p.made) return false;
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(f.bytes.size());
    header.len = f.original_length;
    return pcap_offline_filter(&p.code, &header, reinterpret_cast<const u_char*>(f.bytes.data())) != 0;
  };
}

}  // namespace halfopen::autopsy
