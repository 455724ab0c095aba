// Boost.Asio: native_handle() is the descriptor, and an error_code of the system's category has the errno;
// its end-of-file is error::eof. In C++17, with the archive of fate alone. It asks a line and reads a line.
//
//     g++ -std=c++17 -o boost_asio boost_asio.cpp $(pkg-config --cflags --libs halfopen-fate) -pthread
//     ./boost_asio 127.0.0.1 7

#include <boost/asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <halfopen/fate.hpp>
#include <halfopen/liveness.hpp>
#include <optional>
#include <string>

namespace asio = boost::asio;
using boost::system::error_code;
using halfopen::operation;
using halfopen::phase;

namespace {

class asker {
 public:
  asker(asio::io_context& context, const asio::ip::tcp::endpoint& to) : socket_(context) {
    socket_.async_connect(to, [this](error_code e) { e ? ended(operation::connect, e) : opened(); });
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void opened() {
    halfopen::set_liveness(socket_.native_handle(),
                           std::chrono::seconds(10));  // a dead peer is noticed within 10 s
    asio::async_write(socket_, asio::buffer("ask\n", 4), [this](error_code e, std::size_t) {
      if (e) return ended(operation::write, e);
      asio::async_read_until(socket_, asio::dynamic_buffer(reply_), '\n',
                             [this](error_code failure, std::size_t) {
                               if (failure) ended(operation::read, failure);
                             });
    });
  }

  void ended(operation during, error_code e) {
    std::optional<phase> when;
    if (during == operation::read) when = reply_.empty() ? phase::awaiting_reply : phase::receiving_reply;
    const int error = e == asio::error::eof ? 0 : e.value();
    const halfopen::fate f = halfopen::diagnose(socket_.native_handle(), during, error, when);
    std::puts(to_string(f).c_str());
    failed_ = true;
    socket_.close(e);
  }

  asio::ip::tcp::socket socket_;
  std::string reply_;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  asio::io_context context;
  asker asking(context, {asio::ip::make_address(argv[1]), static_cast<unsigned short>(std::atoi(argv[2]))});
  context.run();
  return asking.failed() ? 1 : 0;
}
