#include "situation/scene.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "halfopen/lab/error.hpp"

namespace halfopen::situation {
namespace {

/// The pair as a program of its own, if it is there: in a build beside this program, installed in libexec.
/// It has a fourth of the libraries, and so a fourth of the work when it starts. Else this program.
std::string own_pair() {
  const std::filesystem::path own = lab::own_executable();
  for (const char* place : {"halfopen-pair", "../libexec/halfopen/halfopen-pair"}) {
    const auto file = (own.parent_path() / place).lexically_normal();
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return own;
}

std::vector<std::string> or_own(const std::vector<std::string>& program) {
  return program.empty() ? std::vector{own_pair()} : program;
}

std::string without(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// "read: ECONNRESET (Connection reset by peer); retry: unknown" without the words in brackets.
std::string without_brackets(std::string text) {
  for (std::size_t open; (open = text.find(" (")) != std::string::npos;) {
    const auto close = text.find(')', open);
    if (close == std::string::npos) break;
    text.erase(open, close - open + 1);
  }
  return text;
}

}  // namespace

std::string last_error(const lab::process& p) {
  std::string text = p.errors();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (const auto line = text.rfind('\n'); line != std::string::npos) text.erase(0, line + 1);
  for (const char* prefix : {"call: ", "serve: ", "server:7: "}) text = without(text, prefix);
  return without_brackets(std::move(text));
}

lab::options scene::lab_options(const scene_options& options) {
  lab::options made;
  made.ip = options.ip;
  if (!options.capture.empty()) made.recorder = [this](const lab::record& r) { capture_.take(r); };
  return made;
}

scene::scene(const scene_options& options)
    : capture_(options.capture, options.title),
      lab(lab_options(options)),
      client(lab.at("client")),
      server(lab.at("server")),
      pair(options.pair),
      timers(options.timers),
      grace(options.grace),
      client_program_(or_own(options.client_program)),
      server_program_(or_own(options.server_program)),
      proofs_(lab, sheet_.checks, soon) {
  sheet_.pair = to_string(pair);
  sheet_.evidence = options.capture;
  capture_.describe(lab);
}

lab::process& scene::start(lab::host& where, const std::vector<std::string>& arguments,
                           const std::vector<std::string>& wrapper,
                           std::optional<lab::accept_flavour> accept_like) {
  std::vector<std::string> argv = wrapper;
  const std::vector<std::string>& program = &where == &client ? client_program_ : server_program_;
  argv.insert(argv.end(), program.begin(), program.end());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return where.start({std::move(argv), {}, accept_like});
}

lab::process& scene::serve(std::vector<std::string> service, std::uint16_t at_port,
                           std::optional<lab::accept_flavour> accept_like,
                           const std::vector<std::string>& wrapper) {
  std::vector<std::string> arguments{"serve"};
  arguments.insert(arguments.end(), service.begin(), service.end());
  const bool v6 = server.address().is_v6();
  for (const std::string& a :
       {std::string("--pair"), std::string(to_string(pair)), std::string("--port"), std::to_string(at_port),
        std::string("--listen"), std::string(v6 ? "::" : "0.0.0.0"), std::string("--tell-endings")})
    arguments.push_back(a);
  lab::process& made = start(server, arguments, wrapper, accept_like);
  if (!lab.until_says(made, "listening on"))
    throw lab::error("the server does not start: " + made.output() + made.errors());
  return made;
}

lab::process& scene::call(std::vector<std::string> service, const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> arguments{"call"};
  arguments.insert(arguments.end(), service.begin(), service.end());
  for (const std::uint16_t p : ports) arguments.push_back("server:" + std::to_string(p));
  const auto seconds = [](std::chrono::milliseconds ms) {
    return std::to_string(static_cast<double>(ms.count()) / 1e3);
  };
  for (const std::string& a :
       {std::string("--pair"), std::string(to_string(pair)), std::string("--notice-within"),
        seconds(notice_within), std::string("--connect-timeout"), seconds(connect_within),
        std::string("--tell-endings")})
    arguments.push_back(a);
  return start(client, arguments, {}, {});
}

void scene::exchange(lab::process& c, std::string_view line) {
  c.type(std::string(line) + "\n");
  if (!lab.until_says(c, line)) throw lab::error("no echo of '" + std::string(line) + "': " + c.errors());
  // The ACK of the reply may be delayed by 40 ms (net/ipv4/tcp_output.c, TCP_DELACK_MIN).
  lab.until_quiet(60ms);
}

lab::unique_fd scene::connect(std::uint16_t to_port) {
  return client.connect_to(server, to_port);
}

void scene::send(const lab::unique_fd& socket, std::string_view bytes) {
  const trace::connection* c = connection();
  const std::uint64_t before = c != nullptr ? c->of(trace::side::opener).bytes : 0;
  if (::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    throw lab::error("sending on the lab's own socket", errno);
  lab.after(lab::acked(client, before + bytes.size()), soon);
}

std::string scene::receive(const lab::unique_fd& socket, std::size_t wanted,
                           std::chrono::milliseconds limit) {
  std::string all;
  bool ended = false;
  lab.until(
      [&] {
        char buffer[4096];
        const ssize_t n = ::recv(socket.get(), buffer, std::min(sizeof buffer, wanted - all.size()), 0);
        if (n > 0) all.append(buffer, static_cast<std::size_t>(n));
        ended = n == 0 || (n < 0 && errno != EAGAIN);
        return ended || all.size() == wanted;
      },
      limit);
  return all;
}

void scene::saw(std::string what, std::optional<trace::time_point> when) {
  sheet_.saw = std::move(what);
  sheet_.after.reset();
  if (when) sheet_.after = std::chrono::round<std::chrono::milliseconds>(*when - fault_at_);
}

bool scene::shorten(lab::host& where, std::string_view sysctl, std::string_view value) {
  return !full_length() && set(where, sysctl, value);
}

bool scene::set(lab::host& where, std::string_view sysctl, std::string_view value) {
  if (!where.sysctl(sysctl)) return false;
  where.set_sysctl(sysctl, value);
  sheet_.settings.push_back(std::string(sysctl.substr(sysctl.rfind('.') + 1)) + " " + std::string(value));
  return true;
}

void scene::saw_nothing(const std::string& so) {
  saw("nothing in " + play::in_words(watch()) + ": " + so);
}

void scene::saw_what(const lab::process& p) {
  const auto& end = p.ended();
  if (end && end->signal != 0) return saw("killed by " + play::signal_name(end->signal), end->when);
  const std::string words = last_error(p);
  if (!words.empty()) return saw(words, p.last_output());
  if (end) return saw("exit " + std::to_string(end->code), end->when);
  saw("nothing, still waiting", lab::experiment::now());
}

void scene::by_default(std::chrono::milliseconds computed, std::string_view what) {
  if (full_length()) return;
  sheet_.by_default_length = computed;
  sheet_.by_default = play::in_words(computed) + " " + std::string(what);
}

lab::unique_fd scene::keepalive_witness() {
  if (!full_length()) return {};
  constexpr std::uint16_t witness_port = 9;  // not the pair's, whose newest connection is what counts
  serve({"echo"}, witness_port);
  lab::unique_fd made = client.connect_to(server, witness_port);
  const int on = 1;
  if (::setsockopt(made.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
    throw lab::error("SO_KEEPALIVE", errno);
  return made;
}

void scene::watch_idle(const lab::process& p, const lab::unique_fd& witness,
                       std::chrono::milliseconds computed) {
  constexpr const char* what = "if it had SO_KEEPALIVE on, at its defaults";
  const auto end = lab::experiment::now() + watch();
  if (!witness) {
    by_default(computed, what);
  } else if (lab.until_ready(witness, watch())) {
    const auto met = std::chrono::round<std::chrono::milliseconds>(lab::experiment::now() - fault_at_);
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(witness.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    sheet_.by_default_length = met;
    sheet_.by_default = play::in_words(met) + " " + what + ": " + strerrorname_np(error);
    sheet_.by_default_measured = true;
    expect(error == ETIMEDOUT || error == ECONNRESET, "a connection with SO_KEEPALIVE on is told");
  } else {
    expect(false, "a connection with SO_KEEPALIVE on is told");
  }
  lab.until_ended(p, std::max<lab::experiment::duration>(end - lab::experiment::now(), 0ms));
}

const trace::connection* scene::connection(std::uint16_t at_port) const {
  const auto all = lab.traffic().connections();
  const auto found = std::find_if(all.rbegin(), all.rend(),
                                  [&](const trace::connection* c) { return c->responder.port == at_port; });
  return found == all.rend() ? nullptr : *found;
}

std::string scene::at(const std::optional<trace::mark>& m) {
  return m ? "packet " + std::to_string(m->number) : "no packet";
}

result scene::finish() {
  compare_views();
  if (const auto lost = lab.lost_to_capture(); lost != 0)
    prove(false, std::to_string(lost) + " packets were not captured");
  sheet_.verdict = play::first_unproved(sheet_.checks)     ? verdict::inconclusive
                   : !play::all_as_expected(sheet_.checks) ? verdict::not_met
                                                           : verdict::met;
  lab.end_recording();
  if (const auto problem = capture_.close()) {
    sheet_.verdict = verdict::broken;
    sheet_.problem = *problem;
  }
  sheet_.took = std::chrono::round<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun_);
  return sheet_;
}

}  // namespace halfopen::situation
