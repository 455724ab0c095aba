// What the words of the lab's report mean, for people: `halfopen explain` prints these texts.

#include <array>

#include "situation/result.hpp"

namespace halfopen::situation {

explanation explain(verdict v) noexcept {
  switch (v) {
    case verdict::met:
      return {"met",
              "The packets prove that the fault happened, and all was as expected. The tables say pass.", "",
              ""};
    case verdict::not_met:
      return {"not met", "The packets prove that the fault happened, and something was not as expected.",
              "What a program saw is another thing; or what was done, the packets and the robust program's "
              "report do "
              "not agree.",
              "Below the tables stands what did not hold, with the capture."};
    case verdict::inconclusive:
      return {"inconclusive", "The packets do not prove that the fault happened. So nothing can be said.",
              "A machine that is very busy, for one.", "Play it again, alone (--jobs 1)."};
    case verdict::broken:
      return {"broken", "The lab itself failed. Nothing was learned about any program.",
              "This machine lacks something, or is out of memory or of descriptors.",
              "halfopen doctor says what is missing."};
    case verdict::not_applicable:
      return {"not applicable", "This machine lacks what the run needs, and it was not played.", "",
              "What to install stands below the table."};
  }
  return {"?", "", "", ""};
}

std::span<const explanation> other_words() noexcept {
  static constexpr std::array words{
      explanation{"pass", "In the lab's tables: the runs of both pairs were met.", "", ""},
      explanation{
          "naive",
          "The pair of programs that one writes first: a client and a server that forget what can happen.",
          "", "halfopen serve --pair naive runs its server alone."},
      explanation{"robust",
                  "The pair of programs that stands on the library, and takes every situation well.", "",
                  "halfopen serve --pair robust runs its server alone."},
      explanation{"agree",
                  "What was done, what the packets tell and what the library reported can all be true of the "
                  "connection. Where the words differ, the reason stands below the table.",
                  "", ""},
      explanation{"evidence",
                  "A folder with a capture of each run. The packets in it prove that the fault happened.", "",
                  "Wireshark, tshark and halfopen autopsy read it."},
  };
  return words;
}

}  // namespace halfopen::situation
