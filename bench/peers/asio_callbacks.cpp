// Asio as its own tutorial and C++11/C++14 echo examples use it
// (src/examples/cpp11/echo/async_tcp_echo_server.cpp): a session that a shared_ptr in
// its handlers keeps alive, async_read_some into an array of 1 KiB in the session,
// async_write, and so on. One thread; concurrency hint 1, as in the later examples,
// which spares Asio's own locks.

#include <array>
#include <asio.hpp>
#include <memory>

#include "bench/peers/service.hpp"

namespace halfopen::bench {
namespace {

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket socket) : socket_(std::move(socket)) {}

  void start() { do_read(); }

 private:
  void do_read() {
    socket_.async_read_some(asio::buffer(data_),
                            [this, self = shared_from_this()](std::error_code error, std::size_t length) {
                              if (error) return;
                              good_ = stream_.answer({data_.data(), length}, replies_);
                              if (replies_.empty())
                                do_read();
                              else
                                do_write();
                            });
  }

  void do_write() {
    asio::async_write(socket_, asio::buffer(replies_),
                      [this, self = shared_from_this()](std::error_code error, std::size_t) {
                        replies_.clear();
                        if (!error && good_) do_read();
                      });
  }

  tcp::socket socket_;
  std::array<char, 1024> data_;
  sum_stream stream_;
  std::string replies_;
  bool good_ = true;
};

void do_accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](std::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<session>(std::move(socket))->start();
    do_accept(acceptor);
  });
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] {
    const int listener = halfopen::bench::take_listener(argc, argv);
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { context.stop(); });
    asio::ip::tcp::acceptor acceptor(context, asio::ip::tcp::v4(), listener);
    halfopen::bench::do_accept(acceptor);
    halfopen::bench::announce(halfopen::bench::port_of(listener));
    context.run();
  });
}
