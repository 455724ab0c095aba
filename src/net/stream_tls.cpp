// How a stream's bytes go through TLS, and what that makes of its fates. Reading and writing stay
// what they are, on the same socket with the same system calls: only that what was received goes
// through the layer before it is in the queue, and what is written before it is sent.
//
// Asio's ssl::stream lies on a stream, and each of its operations is a loop of its own of reads and
// writes below, which has no place for fates. Here TLS is inside, so that there is one set of
// operations, one phase and one rule for what may be asked again.
//
// What the ends mean:
//
// - close_notify is the peer's word that this was all (RFC 8446 section 6.1): `completed` where
//   nothing is owed, peer_closed where something is, as a FIN is without TLS.
// - A FIN without it may be anybody's: who sits between the two can make one. In mid-message it is
//   `truncated`, and so it is in mid-record. Between messages nothing can have been cut off that the
//   peer's framing has announced (RFC 9112 section 9.8 for HTTP), and many programs end so: it is
//   `completed`, and its detail says that close_notify did not come.
// - A fatal alert is the peer's word that it has closed, and why.

#include <utility>

#include "net/stream_state.hpp"

namespace halfopen::net {

void stream_state::put_over(std::unique_ptr<layer> over) {
  layer_ = std::move(over);
  where = phase::connecting;
  request_began = handed_over;
  scanned = 0;
  // Plaintext that somebody has put before the handshake must not be taken for what is in it.
  const wire::byte_queue early = std::exchange(in, {});
  if (!early.empty() && !layer_->over() && take_through_layer(early.view())) where = phase::receiving_reply;
}

// Whether it brought something for the reader.
bool stream_state::take_through_layer(std::string_view came) {
  const std::size_t before = in.size();
  layer_->take(came, in);
  if (where == phase::connecting && layer_->now != layer::course::opening &&
      layer_->now != layer::course::failed)
    where = phase::idle;
  flush();  // an alert, or the answer to a KeyUpdate; what does not go now goes with the next write
  if (in.size() > before) return true;
  if (layer_->over()) end_of_layer();
  return false;
}

std::optional<direction> stream_state::shake_hands() noexcept {
  for (;;) {
    flush();  // if that fails, what came before may say why
    if (!write_failed && !layer_->to_send.empty()) return direction::writing;
    if (where != phase::connecting) return std::nullopt;
    switch (try_read()) {
      case pull::bytes:
        break;
      case pull::wait:  // perhaps after the handshake's last bytes
        if (where == phase::connecting) return direction::reading;
        break;
      case pull::over:
        return std::nullopt;
    }
  }
}

stream::result<void> stream_state::secured(wake last) noexcept {
  if (where != phase::connecting) return {};
  if (last == wake::timed_out)
    return std::unexpected(of_deadline(at(operation::read), "the time limit passed in the TLS handshake"));
  if (last == wake::cancelled) return std::unexpected(of_stop(at(operation::read)));
  return std::unexpected(*ended);
}

bool stream_state::try_write_through_layer(std::string_view& bytes) noexcept {
  while (flush() && layer_->to_send.empty() && !bytes.empty()) {
    const std::size_t wrapped = layer_->now == layer::course::failed ? 0 : layer_->wrap(bytes);
    if (wrapped == 0) {
      write_failed = std::make_unique<fate>(fate_of_layer());
      static_cast<void>(end(*write_failed));
      break;
    }
    layer_->untouched = wrapped;
    bytes.remove_prefix(wrapped);
  }
  return !write_failed;
}

/// Sends what the layer has for the socket, as far as the kernel takes it; false if write_failed
/// says why not.
bool stream_state::flush() noexcept {
  if (write_failed) return false;
  if (layer_->to_send.empty()) return true;
  while (!layer_->to_send.empty()) {
    const std::size_t sent = send(layer_->to_send.view());
    if (sent == 0) return !write_failed;
    layer_->to_send.consume(sent);
    count(std::exchange(layer_->untouched, 0));
  }
  layer_->to_send = {};  // an idle connection has no buffer
  return true;
}

fate stream_state::fate_of_layer() const noexcept {
  const standing here = at(operation::read);
  if (layer_->now == layer::course::failed && layer_->why.how == ending::malformed)
    return of_malformed(here, layer_->why.detail);
  if (layer_->now == layer::course::failed && layer_->why.how == ending::local_failure)
    return of_local_failure(here, layer_->why.detail);
  fate f = of_error(here, 0);
  f.detail = "TLS close_notify";
  if (layer_->now == layer::course::failed) {
    f.how = ending::peer_closed;
    f.detail = layer_->why.detail;
  }
  return f;
}

void stream_state::end_of_layer() noexcept {
  const fate f = fate_of_layer();
  const bool explains_the_write = write_failed && layer_->now == layer::course::failed;
  if (ended && explains_the_write)
    *ended = f;
  else
    static_cast<void>(end(f));
  read_over = true;
}

fate stream_state::end_of_file_below_layer(fate end) const noexcept {
  if (where == phase::connecting) {
    end.detail = "end-of-file in the TLS handshake";
  } else if (where != phase::idle || layer_->in_mid_record()) {
    end.how = ending::peer_closed;
    end.detail = "truncated: end-of-file without TLS close_notify";
  } else {
    end.detail = "end-of-file without TLS close_notify";
  }
  return end;
}

bool stream_state::say_goodbye() noexcept {
  if (!layer_ || write_failed) return false;
  layer_->finish();
  return flush() && !layer_->to_send.empty();
}

std::optional<tls_facts> stream_state::tls() const {
  if (!layer_ || where == phase::connecting) return std::nullopt;
  return layer_->facts();
}

}  // namespace halfopen::net
