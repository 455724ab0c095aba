#include "judge/explanations.hpp"

#include <array>

namespace halfopen::judge {

explanation explain(verdict v) noexcept {
  switch (v) {
    case verdict::pass:
      return {"pass", "The program did what was expected of it after the fault, within the limit.", "", ""};
    case verdict::warn:
      return {"warn", "It works, but later than the limit, or by luck: the kernel's own timers end it.", "",
              "As the report says under change. With --strict a warning counts as a failure."};
    case verdict::fail:
      return {"fail", "The program did not do what was expected of it after the fault.", "",
              "As the report says under change; the command under repeat plays this one case again."};
    case verdict::inconclusive:
      return {"inconclusive",
              "Nothing can be said about the program. The packets do not prove that the fault "
              "happened, or the means is missing.",
              "The recording does not work on this program (a nonce, TLS), or the machine is very busy.",
              "Under why stands the reason; it is no fault of the program."};
    case verdict::not_applicable:
      return {"not applicable", "What the case needs does not occur between these two programs.",
              "They never send a request, a reply of two bytes, or nothing for a while.",
              "For the cases of an idle connection: a client that pauses between two requests."};
  }
  return {"?", "", "", ""};
}

explanation explain(loss l) noexcept {
  switch (l) {
    case loss::kill:
      return {"kill", "The peer's processes are killed by SIGKILL. Their kernel sends FIN or RST.", "", ""};
    case loss::reset:
      return {"reset", "The peer's connections are reset, and the peer lives on.", "", ""};
    case loss::crash:
      return {"crash", "The peer's host vanishes. Nobody says so.", "", ""};
    case loss::reboot:
      return {"reboot", "The peer's host comes back without its memory. A server is started again.", "", ""};
    case loss::cut:
      return {"cut", "The peer's cable is cut. Both programs live on, and nothing gets through.", "", ""};
    default:
      return {"?", "", "", ""};
  }
}

std::span<const explanation> outcomes_of_a_client() noexcept {
  static constexpr std::array words{
      explanation{"unaffected", "It printed what it usually prints, and ended with exit 0.",
                  "The fault came when it had all that it wanted.", ""},
      explanation{
          "recovered", "It opened another connection, printed what it usually prints, and ended with exit 0.",
          "",
          "Right, unless the first request had arrived and may not be done twice; the report says so then."},
      explanation{"reported",
                  "It ended with an exit other than 0 within the limit, so whoever called it knows.", "", ""},
      explanation{"crashed", "A signal killed it.",
                  "SIGPIPE, if it wrote after the reset; SIGSEGV or SIGABRT for a mistake of its own.",
                  "Send with MSG_NOSIGNAL, or ignore SIGPIPE, and treat EPIPE as the end of the connection."},
      explanation{"hangs", "It had not ended at the limit, and waits.",
                  "Nobody tells it that its peer is gone, or it does not listen to what it is told.",
                  "SO_KEEPALIVE and TCP_USER_TIMEOUT, or a deadline for the whole exchange. How long it "
                  "would hang is "
                  "measured (virtual clock) or computed."},
      explanation{"spins", "It had not ended at the limit, and burns the processor.",
                  "An end-of-file or an error that is never looked at keeps the socket ready.",
                  "Close the socket, and wait with poll instead of asking again."},
      explanation{"tries again without end", "It had not ended at the limit, and goes on connecting.",
                  "Its attempts have no bound.",
                  "Bound them, by their number or by a time, with growing pauses; then exit with an error."},
      explanation{
          "false success",
          "It ended with exit 0, and printed something else than usual. Nobody will ever know: the worst "
          "there is.",
          "It takes a part of the reply for the whole because the connection ended.",
          "Take a reply for whole only if its own framing says so: a length, an end mark."},
  };
  return words;
}

std::span<const explanation> outcomes_of_a_server() noexcept {
  static constexpr std::array words{
      explanation{
          "serves on",
          "It lives, waits without burning the processor, answers others, and gave the dead connection back.",
          "", ""},
      explanation{"ended", "It ended by itself, with an exit status.",
                  "An error of one connection was taken for one of the whole server.",
                  "End the connection, never the server."},
      explanation{"no answer", "The next client got no answer in time.",
                  "The server waits for the connection on which the fault fell.",
                  "Accept without blocking, and serve each connection for itself."},
      explanation{"wrong answer", "The next client got another answer than usual.", "",
                  "The fault on one connection must not be seen on another."},
      explanation{"holds the connection",
                  "It had not given the dead connection back, as long as it was watched.",
                  "No timer runs on the connection, or one that is longer than the limit.",
                  "SO_KEEPALIVE and TCP_USER_TIMEOUT, or close connections that stay silent."},
      explanation{"releases late", "It gave the dead connection back after the limit.",
                  "The kernel's own timers did it.", "As for holds the connection."},
      explanation{"process crashed", "One of its processes, not the command itself, was killed by a signal.",
                  "", ""},
      explanation{"not as asked",
                  "It did not do what the case asks besides; the first check that does not hold says what.",
                  "", ""},
      explanation{"does as asked", "It did what the case asks besides.", "", ""},
  };
  return words;
}

std::span<const explanation> outcomes_of_a_service() noexcept {
  static constexpr std::array words{
      explanation{"refuses", "Asks got an error in good time while the dependency was away.", "",
                  "That is right: whoever asks can try elsewhere, or later."},
      explanation{"refuses late", "Asks got an error, but only after more than half of the limit.",
                  "The limit of a call to the dependency is longer than those who ask can wait for.",
                  "A shorter limit for each call (a driver's command, query or socket timeout)."},
      explanation{"lets asks hang", "Asks were neither served nor refused within the limit.",
                  "A call to the dependency has no limit, or requests wait for one that has none.",
                  "A limit for each call; keepalive and TCP_USER_TIMEOUT for the connection."},
      explanation{"answers wrong", "Asks got exit 0 and another output than usual.",
                  "Half a reply, an empty or an old one was taken for the answer.",
                  "Answer an error. If it is meant so, let the probe accept it."},
      explanation{"serves again", "It was served again soon after the dependency's return, by itself.", "",
                  ""},
      explanation{"serves again late", "It was served again by itself, but later than it should.",
                  "A dead connection was waited for, or the pauses between attempts grow too long.",
                  "Bound the pauses to some seconds, and notice dead connections."},
      explanation{
          "uses stale connections",
          "Asks failed after the dependency's return, on connections that it had ended before.",
          "A pool hands out a connection without a look at whether it has been closed.",
          "Look at a connection before it is used (a pool's pre-ping, test on borrow), or read its end."},
      explanation{"never serves again", "It was not served again as long as it was watched.",
                  "It waits on a connection that is dead, or has given up.",
                  "Connect again by itself, without a last attempt."},
      explanation{"runs on", "Its command did not end.", "", ""},
      explanation{"says healthy", "The health endpoint said yes while asks were not served.",
                  "It answers without asking what the service depends on.",
                  "Ask the dependency with a short limit, or look at how the last calls went."},
      explanation{"stops others", "What needs no dependency was not served, or slowly.",
                  "Requests wait for one another: a lock, the only thread, the last connection of a pool.",
                  "Wait for the dependency with nothing that others need too."},
      explanation{"storms", "It tried to connect again and again without a pause.", "",
                  "Pauses that grow, with some chance in them (exponential backoff with jitter)."},
      explanation{"leaks", "Its sockets, descriptors, threads or memory grew with every outage.", "",
                  "Close a connection when it has failed, and give back what belonged to it."},
      explanation{"asks twice", "A request reached the dependency more often than it was asked for.",
                  "It was sent again after a failure, though the first one had arrived.",
                  "Right only if doing it twice does no harm."},
  };
  return words;
}

explanation explain(look l) noexcept {
  switch (l) {
    case look::during:
      return {"during", "Asks while the dependency is away: each is served or refused within the limit.", "",
              ""};
    case look::after:
      return {"after", "The service is served again within --recover of the dependency's return.", "", ""};
    case look::alive:
      return {"alive", "The service's command runs.", "", ""};
    case look::health:
      return {"health", "The health endpoint does not say yes while asks are not served.", "", ""};
    case look::other:
      return {"other", "What needs no dependency goes on being served.", "", ""};
    case look::storm:
      return {"storm", "Attempts to connect are few, and the processor is not burnt.", "", ""};
    case look::leftovers:
      return {"leftovers", "Sockets, descriptors, threads and memory do not grow with every outage.", "", ""};
    case look::once:
      return {"once", "No request reaches the dependency twice.", "", ""};
  }
  return {"?", "", "", ""};
}

explanation explain(ask_end e) noexcept {
  switch (e) {
    case ask_end::served:
      return {"served", "The probe ended with exit 0 and its usual output.", "", ""};
    case ask_end::refused:
      return {"refused", "The probe ended with another exit, within the limit.", "", ""};
    case ask_end::wrong:
      return {"wrong", "The probe ended with exit 0 and another output than usual.", "", ""};
    case ask_end::hung:
      return {"hung", "The probe did not end within the limit, and was killed.", "", ""};
    case ask_end::cut_short:
      return {"cut short", "The probe was still under way when the watch ended: nothing is said of it.", "",
              ""};
  }
  return {"?", "", "", ""};
}

std::span<const explanation> unsaid_because() noexcept {
  static constexpr std::array words{
      explanation{"unproved", "The packets do not prove that the fault happened.",
                  "The machine was too slow, most often.", "Play it again with --case."},
      explanation{"not there", "What the case needs does not occur between these two programs.", "", ""},
      explanation{"no replay", "The recording does not work on this program.",
                  "What is said depends on a nonce, as with TLS or SCRAM.", ""},
      explanation{"no means", "The lab cannot do this to this program.",
                  "It accepts connections through io_uring.", ""},
      explanation{"too busy", "Others had the processor, so that nothing can be said.", "",
                  "Play it again with --case, with less going on."},
      explanation{"lab failed", "The lab could not play the case.", "", "The reason says why."},
      explanation{
          "varies",
          "What the programs say differs from run to run in more than figures, so that nobody knows what "
          "would have been right.",
          "", "Judge them with a request that has always the same answer."},
      explanation{
          "unconfirmed",
          "The accusation rests on time, and a second playing did not show the same, or there was none.", "",
          "Play it again with --case."},
  };
  return words;
}

std::span<const explanation> other_words() noexcept {
  static constexpr std::array words{
      explanation{
          "witness",
          "A third host, to which nothing is ever done. From there the next client asks, whether the server "
          "still answers.",
          "", ""},
      explanation{
          "stand-in",
          "What plays the peer of the judged program from the recording. It can stop, close, reset or fall "
          "silent at an exact byte.",
          "", ""},
      explanation{"baseline",
                  "What the two programs do with nothing wrong. Every case is held against it: what is said, "
                  "what the "
                  "client prints, how long it takes.",
                  "",
                  "Without one nothing is judged, and the exit code is 2; the message says what to look at."},
      explanation{"recording", "What the two said to each other in the baseline, byte for byte.", "",
                  "It is played back where that works; with a nonce in what is said (TLS, SCRAM) the real "
                  "peer plays."},
      explanation{"subject",
                  "Who is judged in a case: the client or the server. The fault befalls the other one.", "",
                  "--subject chooses."},
      explanation{"proof", "A packet, or a silence, that shows that the fault happened.", "",
                  "Without it a case is inconclusive, never passed."},
      explanation{
          "computed",
          "Of the length of a hang: from the kernel's timers and the options that the socket really has. It "
          "was not waited for.",
          "", "halfopen clock build, once: with the virtual clock it is measured."},
      explanation{"measured", "Of the length of a hang: really waited for, under the virtual clock.", "", ""},
      explanation{
          "watched",
          "Of a client that tries again without end: so long it was watched under the virtual clock, and "
          "so often it had tried by then, each time with the same result.",
          "It was not watched to an end: there may be one later.", ""},
      explanation{"virtual clock",
                  "The accusation rests on time, and was confirmed in a guest of its own, where load cannot "
                  "matter.",
                  "", ""},
      explanation{
          "alone",
          "The accusation rests on time or on the processor, and was confirmed by a second playing with "
          "no other case under way.",
          "", "halfopen clock build, once: then the virtual clock confirms."},
      explanation{"refuted",
                  "The accusation did not hold when the case was played again: the machine was too busy. The "
                  "case is inconclusive.",
                  "", "Play it again with --case, with less going on or with fewer --jobs."},
      explanation{"wanted", "The accusation rests on time, and was not yet played again.",
                  "It was interrupted.", "Play it again with --case."},
      explanation{"not needed",
                  "The verdict is a pass, or rests on what happened and not on how long it took.", "", ""},
      explanation{"limit", "Within this a program shall know that its peer is gone.", "",
                  "--limit SECONDS (20)."},
      explanation{"grace", "Within this a server shall end after SIGTERM; then comes SIGKILL.", "",
                  "--grace SECONDS (10)."},
      explanation{
          "torture",
          "Instead of the catalogue: the peer is lost at every packet of a clean run, and if wanted at every "
          "byte of the reply.",
          "", "halfopen test --torture, or --torture=bytes."},
      explanation{"interrupted",
                  "Somebody asked to stop before all cases were played. Of the rest nothing is known.", "",
                  "Play the whole again, or the rest by --case; halfopen report merge joins the parts."},
  };
  return words;
}

}  // namespace halfopen::judge
