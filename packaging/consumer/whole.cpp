// All parts at once: two virtual hosts of the lab, a packet, a message, a client.

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
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
  asio::io_context context;
  client nobody(context.get_executor(), "localhost", "7");
  if (nobody.count().open != 0) return 4;
  return lab::enter([] {
    lab::experiment lab;
    return &lab.at("client") == &lab.at("server") ? 3 : 0;
  });
}
