#include "play/capture.hpp"

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/host.hpp"

namespace halfopen::play {

capture::capture(const std::filesystem::path& path, std::string_view title) {
  if (path.empty()) return;
  auto made = report::pcapng_writer::create(path, title);
  if (!made) throw lab::error(made.error());
  file_ = std::move(*made);
}

void capture::describe(const lab::experiment& lab) {
  if (!file_) return;
  for (const auto& h : lab.hosts()) {
    file_->add_interface(h->name(), "what the " + h->name() + " host sends");
    file_->name(h->address(), h->name());
  }
  file_->add_interface("router", "what the router between the hosts sends");
  file_->name(lab.router(), "router");
}

void capture::take(const lab::record& r) {
  if (!file_) return;
  (void)file_->packet(static_cast<std::uint32_t>(r.sender), r.when, r.frame, r.notes,
                      report::direction::outbound);
}

std::optional<std::string> capture::close() {
  if (!file_) return std::nullopt;
  const auto closed = file_->close();
  return closed ? std::nullopt : std::optional(closed.error());
}

}  // namespace halfopen::play
