// All parts at once: two virtual hosts of the lab, a packet, a message, a client, this machine's connections.

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <halfopen/audit.hpp>
#include <halfopen/client.hpp>
#include <halfopen/lab/enter.hpp>
#include <halfopen/lab/experiment.hpp>
#include <halfopen/trace/packet.hpp>
#include <halfopen/wire/text.hpp>

int main() {
  using namespace halfopen;
  const auto nothing = trace::decode({}, trace::link::ethernet, 1, {});
  if (nothing.error() != trace::decode_error::truncated) return 1;
  if (!wire::text::decode_request("1 2")) return 2;
  const auto seen = audit::look({});
  if (!seen || audit::groups_of(*seen).size() > seen->sockets.size()) return 5;
  asio::io_context context;
  client nobody(context.get_executor(), "localhost", "7");
  if (nobody.count().open != 0) return 4;
  return lab::enter([] {
    lab::experiment lab;
    return &lab.at("client") == &lab.at("server") ? 3 : 0;
  });
}
