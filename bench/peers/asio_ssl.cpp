// Asio's ssl::stream in callbacks, as its own example uses it (src/examples/cpp11/ssl/server.cpp),
// with the session of asio_callbacks.cpp: a handshake, async_read_some into an array of 1 KiB,
// async_write, and so on. Whatever ssl::stream sets in OpenSSL is left as it is.

#include <array>
#include <asio.hpp>
#include <asio/ssl.hpp>
#include <memory>

#include "bench/peers/service.hpp"

namespace halfopen::bench {
namespace {

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, asio::ssl::context& tls) : socket_(std::move(socket), tls) {}

  void start() {
    socket_.async_handshake(asio::ssl::stream_base::server,
                            [this, self = shared_from_this()](std::error_code error) {
                              if (!error) do_read();
                            });
  }

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

  asio::ssl::stream<tcp::socket> socket_;
  std::array<char, 1024> data_;
  sum_stream stream_;
  std::string replies_;
  bool good_ = true;
};

void do_accept(tcp::acceptor& acceptor, asio::ssl::context& tls) {
  acceptor.async_accept([&acceptor, &tls](std::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<session>(std::move(socket), tls)->start();
    do_accept(acceptor, tls);
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
    if (argc != 4) throw std::runtime_error("a port, a certificate and a key are wanted");
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(argv[2]);
    tls.use_private_key_file(argv[3], asio::ssl::context::pem);
    halfopen::bench::do_accept(acceptor, tls);
    halfopen::bench::announce(halfopen::bench::port_of(listener));
    context.run();
  });
}
