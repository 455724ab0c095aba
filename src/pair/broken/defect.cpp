#include "pair/broken/defect.hpp"

#include <algorithm>
#include <array>

namespace halfopen::broken {
namespace {

using enum program;
using d = defect;

constexpr std::array table{
    defect_entry{d::none, server, "none", "nothing is wrong", "", ""},
    defect_entry{d::ends_when_accept_is_aborted, server, "ends-when-accept-is-aborted",
                 "ECONNABORTED and EPROTO from accept end the server", "abort/2 abort/3", ""},
    defect_entry{d::ends_when_out_of_descriptors, server, "ends-when-out-of-descriptors",
                 "EMFILE from accept ends the server", "overload/1 overload/2", ""},
    defect_entry{d::spins_when_out_of_descriptors, server, "spins-when-out-of-descriptors",
                 "after EMFILE accept is tried again at once, and for ever", "overload/1", ""},
    defect_entry{d::blocks_in_accept, server, "blocks-in-accept",
                 "the listener is blocking, though accept is called only when it was readable", "abort/4",
                 ""},
    defect_entry{d::no_reuse_address, server, "no-reuse-address", "SO_REUSEADDR is not set", "shutdown/5",
                 ""},
    defect_entry{
        d::forgets_ended_connections, server, "forgets-ended-connections",
        "after end-of-file the socket is not closed",
        "exit/1 exit/2 exit/4 format/1 format/2 format/3 format/4 format/6 overload/1 overload/2 overload/4",
        ""},
    defect_entry{d::forgets_reset_connections, server, "forgets-reset-connections",
                 "after a failed read or write the socket is not closed",
                 "abort/1 abort/5 exit/3 sigpipe/1 sigpipe/2 crash/1 crash/2 crash/3 crash/4 crash/5 "
                 "reboot/1 reboot/2 overload/3",
                 ""},
    defect_entry{d::spins_at_end_of_file, server, "spins-at-end-of-file",
                 "end-of-file is taken for nothing to read, and waited for again",
                 "abort/1 abort/2 abort/3 abort/4 abort/5 exit/1 exit/2 exit/3 exit/4 sigpipe/1 sigpipe/2 "
                 "crash/1 crash/2 crash/3 crash/4 crash/5 reboot/1 reboot/2 format/1 format/2 format/3 "
                 "format/4 format/5 format/6 overload/1 overload/2 overload/3 overload/4",
                 ""},
    defect_entry{d::ends_with_a_reset_connection, server, "ends-with-a-reset-connection",
                 "a read or write that fails ends the server",
                 "abort/1 abort/5 exit/3 sigpipe/1 sigpipe/2 crash/1 crash/2 crash/3 crash/4 crash/5 "
                 "reboot/1 reboot/2 overload/3",
                 ""},
    defect_entry{d::closes_at_half_close, server, "closes-at-half-close",
                 "at end-of-file the connection is closed, with a reply owed", "exit/4", ""},
    defect_entry{d::waits_for_a_slow_writer, server, "waits-for-a-slow-writer",
                 "while a request comes nothing else is done", "crash/2 shutdown/4 overload/4", ""},
    defect_entry{d::waits_for_a_slow_reader, server, "waits-for-a-slow-reader",
                 "while a reply cannot be written nothing else is done", "overload/3", ""},
    defect_entry{d::repeats_failed_writes, server, "repeats-failed-writes",
                 "a write that fails is tried again, whatever the error", "sigpipe/1 overload/3", ""},
    defect_entry{d::server_dies_of_sigpipe, server, "dies-of-sigpipe",
                 "neither MSG_NOSIGNAL nor a disposition for SIGPIPE", "sigpipe/1", ""},
    defect_entry{d::server_without_liveness, server, "no-liveness", "neither keepalive nor a user timeout",
                 "crash/1 crash/2 reboot/1", "crash/3 crash/4 crash/5"},
    defect_entry{d::server_without_user_timeout, server, "no-user-timeout",
                 "keepalive, which rests while data is in flight", "", "crash/3 crash/4 crash/5"},
    defect_entry{d::signed_length, server, "signed-length",
                 "the length of a message is compared as a signed number", "format/6", ""},
    defect_entry{d::server_reads_once, server, "reads-once", "one read is taken for the whole message",
                 "format/1 format/2 shutdown/2", ""},
    defect_entry{d::drops_what_follows, server, "drops-what-follows",
                 "what came with the first message in one read is thrown away", "format/3", ""},
    defect_entry{d::ignores_sigterm, server, "ignores-sigterm", "SIGTERM is ignored",
                 "shutdown/1 shutdown/2 shutdown/3", ""},
    defect_entry{d::ends_at_sigterm, server, "ends-at-sigterm", "SIGTERM ends it with a request under way",
                 "shutdown/2", ""},
    defect_entry{d::drains_for_ever, server, "drains-for-ever",
                 "after SIGTERM it waits for the last client to leave", "shutdown/3", ""},
    defect_entry{d::takes_and_drops_in_drain, server, "takes-and-drops-in-drain",
                 "after SIGTERM the listener stays open, and who comes is dropped", "shutdown/4", ""},
    defect_entry{d::one_client_at_a_time, server, "one-client-at-a-time",
                 "nobody is accepted while a connection is open, not even while it is silent",
                 "crash/1 crash/2 crash/3 crash/4 crash/5 reboot/1 overload/3 overload/4", ""},

    defect_entry{d::none, client, "none", "nothing is wrong", "", ""},
    defect_entry{d::end_of_file_ends_the_reply, client, "end-of-file-ends-the-reply",
                 "what came before end-of-file is taken for the whole reply", "exit/5 exit/6 exit/7", ""},
    defect_entry{d::client_reads_once, client, "reads-once", "one read is taken for the whole text",
                 "exit/7 exit/8 crash/8 reboot/5 format/7", "", "exit/7@1 exit/8@1 crash/8@1 reboot/5@1"},
    defect_entry{d::client_drops_what_follows, client, "drops-what-follows",
                 "what came in one read with the reply's length is thrown away", "format/7", ""},
    defect_entry{d::exit_0_after_a_reset, client, "exit-0-after-a-reset",
                 "a reset is told, but not in the exit code",
                 "abort/6 exit/8 sigpipe/3 reboot/3 reboot/4 reboot/5 reboot/6 shutdown/6 idle/2", ""},
    defect_entry{
        d::exit_0_after_any_failure, client, "exit-0-after-any-failure",
        "failures are told, but not in the exit code",
        "abort/6 exit/5 exit/6 exit/7 exit/8 sigpipe/3 crash/6 crash/7 crash/8 crash/9 crash/10 "
        "reboot/3 reboot/4 reboot/5 reboot/6 reboot/7 shutdown/6 connect/1 connect/2 connect/3 connect/4 "
        "connect/5 connect/7 idle/1 idle/2",
        ""},
    defect_entry{d::waits_after_end_of_file, client, "waits-after-end-of-file",
                 "end-of-file is taken for nothing to read yet", "exit/5 exit/6 exit/7", ""},
    defect_entry{d::client_spins_at_end_of_file, client, "spins-at-end-of-file",
                 "end-of-file is taken for nothing to read yet, and read is called again at once",
                 "exit/5 exit/6 exit/7", ""},
    defect_entry{d::client_dies_of_sigpipe, client, "dies-of-sigpipe",
                 "neither MSG_NOSIGNAL nor a disposition for SIGPIPE", "sigpipe/3", ""},
    defect_entry{d::client_without_liveness, client, "no-liveness",
                 "neither keepalive nor a limit of any kind",
                 "crash/6 crash/7 crash/8 crash/9 crash/10 reboot/4 reboot/5 reboot/6 connect/7 idle/1", ""},
    defect_entry{d::client_without_user_timeout, client, "no-user-timeout",
                 "keepalive alone, which rests while data is in flight",
                 "crash/6 crash/9 crash/10 connect/7 idle/1", ""},
    defect_entry{d::no_reply_limit, client, "no-reply-limit",
                 "a reply is waited for as long as the server's kernel answers keepalive", "connect/7", ""},
    defect_entry{d::no_connect_timeout, client, "no-connect-timeout",
                 "connect blocks as long as the kernel likes", "connect/2 connect/5 connect/6", ""},
    defect_entry{d::first_address_only, client, "first-address-only",
                 "of a name's addresses only the first is tried", "connect/6", ""},
    defect_entry{d::reconnects_for_ever, client, "reconnects-for-ever",
                 "after a failure it tries again, for ever",
                 "abort/6 exit/5 exit/6 exit/7 exit/8 sigpipe/3 crash/6 crash/7 crash/8 crash/9 crash/10 "
                 "reboot/6 shutdown/6 connect/1 connect/2 connect/3 connect/4 connect/5 "
                 "connect/7",
                 "reboot/4 reboot/5"},
    defect_entry{d::asks_again, client, "asks-again",
                 "a request that may have been executed is sent again on a new connection", "connect/7",
                 "reboot/4 reboot/5"},
    defect_entry{
        d::uses_the_reply_unchecked, client, "uses-the-reply-unchecked",
        "the reply is used without a look at whether there is one",
        "abort/6 exit/5 exit/6 exit/7 exit/8 sigpipe/3 crash/6 crash/7 crash/8 crash/9 crash/10 "
        "reboot/3 reboot/4 reboot/5 reboot/6 reboot/7 shutdown/6 connect/1 connect/2 connect/3 connect/4 "
        "connect/5 connect/7 idle/1 idle/2",
        ""},
};

}  // namespace

std::span<const defect_entry> defects() noexcept {
  return table;
}

std::optional<defect> find_defect(program whose, std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(table, [&](const defect_entry& e) { return e.whose == whose && e.name == name; });
  if (found == table.end()) return std::nullopt;
  return found->what;
}

}  // namespace halfopen::broken
