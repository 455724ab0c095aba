// The library's client in a thread of bench/run restart: a pool of one connection, and
// what its fate allows to be asked again is asked again, as idempotent. The caller is
// blocking, so each call runs the io_context until its own coroutine is done.

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>

#include "bench/callers.hpp"
#include "halfopen/client.hpp"
#include "halfopen/wire/binary.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;

class library_caller : public caller {
 public:
  explicit library_caller(std::uint16_t port)
      : client_(context_.get_executor(), "127.0.0.1", std::to_string(port)) {}
  ~library_caller() override { client_.close(); }
  library_caller(const library_caller&) = delete;
  library_caller& operator=(const library_caller&) = delete;

  bool call(wire::sum_request request) override {
    std::optional<bool> right;
    asio::co_spawn(context_, ask(request),
                   [&](const std::exception_ptr& e, bool good) { right = e == nullptr && good; });
    context_.restart();
    while (!right) context_.run_one();
    return *right;
  }

  [[nodiscard]] std::uint64_t sent_again() const override { return client_.count().repeated; }

 private:
  using result = std::expected<wire::sum_reply, fate>;

  static asio::awaitable<result> exchange(stream& s, wire::sum_request request) {
    const std::string bytes = wire::binary::encode(request);
    if (const auto sent = co_await s.write(bytes, patience); !sent) co_return std::unexpected(sent.error());
    wire::binary::framer framer;
    const auto frame = co_await s.read_message(framer, patience);
    if (!frame) co_return std::unexpected(frame.error());
    const auto reply = wire::binary::decode_reply(*frame);
    if (!reply) co_return std::unexpected(s.malformed(describe(reply.error())));
    co_return *reply;
  }

  asio::awaitable<bool> ask(wire::sum_request request) {
    const auto reply = co_await client_.call([request](stream& s) { return exchange(s, request); }, patience,
                                             repeat::idempotent);
    co_return reply && *reply == wire::add(request);
  }

  asio::io_context context_{1};
  client client_;
};

}  // namespace

std::unique_ptr<caller> make_library_caller(std::uint16_t port) {
  return std::make_unique<library_caller>(port);
}

}  // namespace halfopen::bench
