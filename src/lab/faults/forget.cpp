#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {

void forget(experiment& lab, const trace::endpoint& opener) {
  lab.note("a middlebox forgets the connection, and drops its packets");
  lab.lose(match([opener, begins_anew = syn()](const arrival& a) {
    return a.connection != nullptr && a.connection->opener == opener && !begins_anew(a);
  }));
}

void answer_as_forgotten(experiment& lab) {
  lab.note("a middlebox has forgotten the connection, and answers its packets with RST");
  lab.reset_current();
}

}  // namespace halfopen::lab
