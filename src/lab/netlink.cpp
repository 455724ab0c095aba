// Links, addresses and routes over rtnetlink(7).
// libmnl builds the attributes; ip(8) and ethtool(8) would each cost a fork and
// an exec, some 2 ms apiece, and are not installed everywhere.

#include "lab/netlink.hpp"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/namespaces.hpp"
#include "lab/netlink_request.hpp"

namespace halfopen::lab {
namespace {

/// The kernel's work queues are soon done, but for a very busy machine: some 30 s.
constexpr int patience_in_tries = 200'000;

ifinfomsg* put_link(nlmsghdr* header, unsigned index, unsigned flags_on) {
  auto* link = put<ifinfomsg>(header);
  link->ifi_family = AF_UNSPEC;
  link->ifi_index = static_cast<int>(index);
  link->ifi_flags = flags_on;
  link->ifi_change = flags_on;
  return link;
}

void add_address(netlink& rt, const trace::ip_address& address) {
  nlmsghdr* header = rt.request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
  auto* message = put<ifaddrmsg>(header);
  message->ifa_family = address.is_v6() ? AF_INET6 : AF_INET;
  message->ifa_prefixlen = address.is_v6() ? 64 : 24;
  message->ifa_flags = IFA_F_PERMANENT | (address.is_v6() ? IFA_F_NODAD : 0U);
  message->ifa_index = inner_index;
  const auto bytes = address.bytes();
  mnl_attr_put(header, IFA_LOCAL, bytes.size(), bytes.data());
  mnl_attr_put(header, IFA_ADDRESS, bytes.size(), bytes.data());
  rt.run(header, "adding an address");
}

void add_default_route(netlink& rt, std::uint8_t family) {
  nlmsghdr* header = rt.request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE);
  auto* route = put<rtmsg>(header);
  route->rtm_family = family;
  route->rtm_table = RT_TABLE_MAIN;
  route->rtm_protocol = RTPROT_STATIC;
  route->rtm_scope = RT_SCOPE_LINK;
  route->rtm_type = RTN_UNICAST;
  mnl_attr_put_u32(header, RTA_OIF, inner_index);
  rt.run(header, "adding the default route");
}

void set_link(netlink& rt, unsigned index, unsigned flags_on, bool no_link_local) {
  nlmsghdr* header = rt.request(RTM_NEWLINK, NLM_F_ACK);
  put_link(header, index, flags_on);
  if (no_link_local) {
    nlattr* spec = mnl_attr_nest_start(header, IFLA_AF_SPEC);
    nlattr* inet6 = mnl_attr_nest_start(header, AF_INET6);
    mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(header, inet6);
    mnl_attr_nest_end(header, spec);
  }
  rt.run(header, "setting up an interface");
}

}  // namespace

void make_veth(const veth_plan& plan) {
  netlink rt(NETLINK_ROUTE);
  nlmsghdr* header = rt.request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
  // No ARP: a packet for any address goes straight into the cable, and no
  // unanswered ARP request turns a dead host into EHOSTUNREACH.
  put_link(header, plan.outer_index, IFF_UP | IFF_NOARP);
  mnl_attr_put_strz(header, IFLA_IFNAME, plan.outer_name.c_str());
  mnl_attr_put(header, IFLA_ADDRESS, plan.outer_mac.size(), plan.outer_mac.data());
  nlattr* info = mnl_attr_nest_start(header, IFLA_LINKINFO);
  mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
  nlattr* peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
  put_link(header, inner_index, IFF_NOARP);
  mnl_attr_put_strz(header, IFLA_IFNAME, inner_name);
  mnl_attr_put(header, IFLA_ADDRESS, plan.inner_mac.size(), plan.inner_mac.data());
  mnl_attr_put_u32(header, IFLA_NET_NS_FD, static_cast<std::uint32_t>(plan.inner_namespace));
  mnl_attr_nest_end(header, peer);
  mnl_attr_nest_end(header, data);
  mnl_attr_nest_end(header, info);
  rt.run(header, "making a virtual cable (veth)");
}

void configure_inner(const trace::ip_address& v4, const trace::ip_address& v6) {
  // A kernel booted with ipv6.disable=1 has none; one whose first namespace was
  // told disable_ipv6 may hand that down (net.core.devconf_inherit_init_net).
  const bool has_v6 = ::access("/proc/sys/net/ipv6", F_OK) == 0;
  for (const char* which : {"all", "default", inner_name})
    if (has_v6) write_file(std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6", "0");
  netlink rt(NETLINK_ROUTE);
  set_link(rt, inner_index, IFF_NOARP, has_v6);
  add_address(rt, v4);
  if (has_v6) add_address(rt, v6);
  set_link(rt, 1, IFF_UP, false);
  set_link(rt, inner_index, IFF_UP | IFF_NOARP, false);
  add_default_route(rt, AF_INET);
  if (has_v6) add_default_route(rt, AF_INET6);
}

void wait_until_local(const trace::ip_address& address) {
  netlink rt(NETLINK_ROUTE);
  const auto bytes = address.bytes();
  for (int tries = 0; tries < patience_in_tries; ++tries) {
    nlmsghdr* header = rt.request(RTM_GETROUTE, NLM_F_ACK);
    auto* route = put<rtmsg>(header);
    route->rtm_family = address.is_v6() ? AF_INET6 : AF_INET;
    route->rtm_dst_len = static_cast<std::uint8_t>(8 * bytes.size());
    mnl_attr_put(header, RTA_DST, bytes.size(), bytes.data());
    int type = RTN_UNSPEC;
    rt.run(header, "asking for a route",
           [&](const nlmsghdr* h) { type = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(h))->rtm_type; });
    if (type == RTN_LOCAL) return;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  throw error("the address " + address.to_string() + " does not become usable");
}

namespace {

/// ioctls on an interface (netdevice(7)), ethtool's among them.
class interface_control {
 public:
  explicit interface_control(const std::string& name) : name_(name) {
    if (!socket_) throw error("socket", errno);
  }

  std::uint32_t ethtool(std::uint32_t command, const char* what) {
    ethtool_value value{command, 0};
    ifreq request = blank();
    request.ifr_data = reinterpret_cast<char*>(&value);
    run(SIOCETHTOOL, request, what);
    return value.data;
  }

  bool is_running() {
    ifreq request = blank();
    run(SIOCGIFFLAGS, request, "asking for the flags of ");
    return (request.ifr_flags & IFF_RUNNING) != 0;
  }

 private:
  [[nodiscard]] ifreq blank() const {
    ifreq request{};
    name_.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
  }
  void run(unsigned long what, ifreq& request, const char* doing) {
    if (::ioctl(socket_.get(), what, &request) < 0) throw error(doing + name_, errno);
  }

  std::string name_;
  unique_fd socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

void turn_offloads_off(const std::string& interface_name) {
  interface_control control(interface_name);
  for (const std::uint32_t command : {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO})
    control.ethtool(command, "turning offloads off on ");
}

void wait_until_running(const std::string& interface_name) {
  interface_control control(interface_name);
  for (int tries = 0; tries < patience_in_tries; ++tries) {
    // Since Linux 6.8 this question makes the kernel catch up (linkwatch_sync_dev).
    control.ethtool(ETHTOOL_GLINK, "asking for the carrier of ");
    if (control.is_running()) return;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  throw error(interface_name + " does not come up");
}

}  // namespace halfopen::lab
