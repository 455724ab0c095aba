// The protocol apart from the sockets, so that it is tested without them and can be
// put on any event loop. The two formats are a variant and not a class hierarchy:
// there are two, and a framer is a value.

#include "pair/dialogue.hpp"

#include <fmt/format.h>

namespace halfopen::pair {
namespace {

// Overloads on the kind of message, so that one visitor serves both formats.
using wire::describe;
using wire::binary::decode_reply;
using wire::binary::decode_request;
using wire::text::decode_reply;
using wire::text::decode_request;

framer make_framer(service asked, format how, std::size_t max_line) {
  if (asked == service::sum && how == format::binary) return wire::binary::framer{};
  return wire::text::framer{max_line};
}

// A reply that is an error as one line, as on the wire in the text format.
std::string as_line(const wire::sum_reply& reply) {
  std::string line = wire::text::encode(reply);
  line.pop_back();
  return line;
}

bool in_frames(const framer& f) {
  return std::holds_alternative<wire::binary::framer>(f);
}

std::string encode_reply(const framer& f, const wire::sum_reply& reply) {
  return in_frames(f) ? wire::binary::encode(reply) : wire::text::encode(reply);
}

}  // namespace

answering::answering(const serve_options& options)
    : service_(options.service),
      high_water_(options.high_water),
      framer_(make_framer(options.service, options.how, options.max_line)) {}

void answering::feed(std::string_view bytes) {
  std::visit([bytes](auto& f) { f.feed(bytes); }, framer_);
}

void answering::answer(wire::byte_queue& out) {
  while (!wrong_ && out.size() < high_water_ && answer_one(out)) {
  }
}

// Whether there was something to answer.
bool answering::answer_one(wire::byte_queue& out) {
  return std::visit(
      [&](auto& f) {
        const auto message = f.next();
        if (!message) return reject(out, message.error());
        if (!*message) return false;
        if constexpr (requires { f.rest(); }) {
          if (service_ == service::echo) {
            out.append(**message);
            out.append("\n");
            return true;
          }
        }
        const auto request = decode_request(**message);
        if (!request) return reject(out, request.error());
        out.append(encode_reply(framer_, wire::add(*request)));
        return true;
      },
      framer_);
}

bool answering::reject(wire::byte_queue& out, wire::decode_error e) {
  const wire::sum_error answer = wire::answer_to(e);
  out.append(encode_reply(framer_, std::unexpected(answer)));
  if (ends_connection(answer)) wrong_ = e;
  return true;
}

bool answering::mid_request() const noexcept {
  return std::visit([](const auto& f) { return f.mid_message(); }, framer_);
}

asking::asking(const call_options& options)
    : service_(options.service), framer_(make_framer(options.service, options.how, options.max_line)) {}

std::expected<std::string, std::string_view> asking::encode(const call_options& options,
                                                            std::string_view line) {
  if (options.service == service::echo) return std::string{line} + '\n';
  const auto request = wire::text::decode_request(line);
  if (!request) return std::unexpected(describe(request.error()));
  return options.how == format::binary ? wire::binary::encode(*request) : wire::text::encode(*request);
}

void asking::feed(std::string_view bytes) {
  std::visit([bytes](auto& f) { f.feed(bytes); }, framer_);
}

std::expected<std::optional<std::string>, std::string> asking::next(std::string_view line) {
  using result = std::expected<std::optional<std::string>, std::string>;
  return std::visit(
      [&](auto& f) -> result {
        const auto message = f.next();
        if (!message) return std::unexpected(std::string{describe(message.error())});
        if (!*message) return std::nullopt;
        if constexpr (requires { f.rest(); }) {
          if (service_ == service::echo) {
            if (**message == line) return std::string{line};
            // Most likely the server's complaint; shown if it is short enough to be one.
            if (message->value().size() > 80) return std::unexpected("the echo differs from the line");
            return std::unexpected(fmt::format("the server answered \"{}\"", **message));
          }
        }
        const auto reply = decode_reply(**message);
        if (!reply) return std::unexpected(std::string{describe(reply.error())});
        if (!*reply && ends_connection(reply->error()))
          return std::unexpected(fmt::format("the server answered \"{}\"", as_line(*reply)));
        return as_line(*reply);
      },
      framer_);
}

bool asking::mid_reply() const noexcept {
  return std::visit([](const auto& f) { return f.mid_message(); }, framer_);
}

}  // namespace halfopen::pair
