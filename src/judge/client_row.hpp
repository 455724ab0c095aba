#ifndef HALFOPEN_SRC_JUDGE_CLIENT_ROW_HPP
#define HALFOPEN_SRC_JUDGE_CLIENT_ROW_HPP

#include "judge/moment.hpp"

namespace halfopen::judge {

class stage;

/// Brings the client to the moment, loses the server, and judges what the client does. Where the server is
/// started again, or is told to stop, the real one plays from the beginning; else the recording does.
void play(stage& s, const client_row& row);

}  // namespace halfopen::judge

#endif
