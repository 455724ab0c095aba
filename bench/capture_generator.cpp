// A capture of any size, made in a second a gigabyte.
//
// Real traffic would be better, but ten million packets of it cannot be published, and
// would not come in several sizes. What matters for the speed of a reader is here as it is
// there: the order of packets (each of another connection than the one before), the share
// of payload (half of the packets), and how many connections are open at one time.

#include "bench/capture_generator.hpp"

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace halfopen::bench {
namespace {

enum flag : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16 };
constexpr std::size_t headers = 14 + 20 + 20;

[[noreturn]] void give_up(const std::string& path) {
  std::perror(path.c_str());
  std::exit(1);
}

std::uint32_t scrambled(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return static_cast<std::uint32_t>(x ^ (x >> 31U));
}

struct talk {
  std::uint64_t id = 0, step = 0;
  std::array<std::uint32_t, 2> next{};
  std::uint32_t last_length = 0;
};

class generator {
 public:
  generator(const std::string& path, const capture_plan& plan)
      : path_{path}, plan_{plan}, file_{std::fopen(path.c_str(), "wb"), &std::fclose}, buffer_(1U << 20U) {
    if (!file_) give_up(path);
    std::setvbuf(file_.get(), buffer_.data(), _IOFBF, buffer_.size());
    const std::array<std::uint32_t, 6> header{0xA1B23C4D, 0x0004'0002, 0, 0, 262'144, 1};
    write(header.data(), sizeof header);
  }

  std::uint64_t run() {
    per_connection_ = plan_.packets / plan_.connections;
    silent_from_ = per_connection_ < 12 ? 3 : 3 + (per_connection_ - 8) / 4 * 4;  // all was acknowledged
    std::vector<talk> open;
    for (; begun_ < plan_.at_one_time && begun_ < plan_.connections; ++begun_) open.push_back(begin(begun_));
    while (!open.empty()) {
      for (std::size_t i = 0; i < open.size();) {
        packet(open[i]);
        if (++open[i].step < per_connection_) {
          ++i;
        } else if (begun_ < plan_.connections) {
          open[i++] = begin(begun_++);
        } else {
          open[i] = open.back();
          open.pop_back();
        }
      }
    }
    if (std::fflush(file_.get()) != 0) give_up(path_);
    return written_;
  }

 private:
  static talk begin(std::uint64_t id) {
    return {.id = id, .step = 0, .next = {scrambled(id * 2), scrambled(id * 2 + 1)}, .last_length = 0};
  }

  void packet(talk& t) {
    const std::uint64_t ending = t.id % 16, left = per_connection_ - t.step;
    if (t.step < 3) return opening(t);
    if (ending == 0 && t.step >= silent_from_) return repeat(t);  // the server vanishes
    if (ending == 1 && left == 1) return say(t, 1, rst, 0);       // it is reset
    if (ending > 1 && left <= 3) return say(t, left == 2 ? 1 : 0, left == 1 ? ack : fin | ack, 0);
    const std::uint64_t turn = (t.step - 3) % 4;  // request, its ACK, reply, its ACK
    const std::uint32_t length = turn % 2 != 0 ? 0
                                 : turn == 0   ? 40 + scrambled(t.id + t.step) % 200
                                               : 200 + scrambled(t.id + t.step) % 1260;
    say(t, turn == 1 || turn == 2 ? 1 : 0, ack, length);
  }
  void opening(talk& t) {
    if (t.step == 0) return say(t, 0, syn, 0);
    return t.step == 1 ? say(t, 1, syn | ack, 0) : say(t, 0, ack, 0);
  }
  /// A segment of 100 bytes, again and again.
  void repeat(talk& t) {
    say(t, 0, ack | psh, 100);
    t.next[0] -= 100;
  }

  void say(talk& t, unsigned from, unsigned flags, std::uint32_t length) {
    now_ += 1000 + scrambled(now_) % 20'000;
    const std::uint32_t size = headers + length;
    const std::array<std::uint32_t, 4> record{static_cast<std::uint32_t>(now_ / 1'000'000'000),
                                              static_cast<std::uint32_t>(now_ % 1'000'000'000), size, size};
    write(record.data(), sizeof record);
    frame_[12] = 8;
    std::byte* const ip = reinterpret_cast<std::byte*>(frame_.data()) + 14;
    frame_[14] = 0x45;
    put16(ip + 2, size - 14);
    put16(ip + 4, static_cast<std::uint32_t>(t.step * 2 + from));
    frame_[14 + 8] = 64;
    frame_[14 + 9] = 6;
    const auto client = static_cast<std::uint32_t>(0x0A000000 + t.id % 5000);
    const auto server = static_cast<std::uint32_t>(0x0A640000 + t.id % 40);
    put32(ip + 12, from == 0 ? client : server);
    put32(ip + 16, from == 0 ? server : client);
    const auto port = static_cast<std::uint32_t>(20'000 + t.id / 5000);
    put16(ip + 20, from == 0 ? port : 443);
    put16(ip + 22, from == 0 ? 443 : port);
    put32(ip + 24, t.next[from]);
    put32(ip + 28, (flags & ack) != 0 ? t.next[1 - from] : 0);
    frame_[14 + 32] = 0x50;
    frame_[14 + 33] = static_cast<unsigned char>(flags);
    put16(ip + 34, 60'000);
    write(frame_.data(), size);
    t.next[from] += length + ((flags & (syn | fin)) != 0 ? 1 : 0);
  }

  static void put16(std::byte* at, std::uint32_t value) {
    const auto wire = std::byteswap(static_cast<std::uint16_t>(value));
    std::memcpy(at, &wire, sizeof wire);
  }
  static void put32(std::byte* at, std::uint32_t value) {
    const auto wire = std::byteswap(value);
    std::memcpy(at, &wire, sizeof wire);
  }
  void write(const void* data, std::size_t size) {
    if (std::fwrite(data, 1, size, file_.get()) != size) give_up(path_);
    written_ += size;
  }

  const std::string& path_;
  const capture_plan& plan_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::vector<char> buffer_;
  std::array<unsigned char, headers + 1500> frame_{};
  std::uint64_t now_ = 1'700'000'000'000'000'000, written_ = 0, begun_ = 0, per_connection_ = 0,
                silent_from_ = 0;
};

}  // namespace

std::uint64_t generate_capture(const std::string& path, const capture_plan& plan) {
  return generator{path, plan}.run();
}

}  // namespace halfopen::bench
