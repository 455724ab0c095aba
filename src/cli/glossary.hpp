#ifndef HALFOPEN_SRC_CLI_GLOSSARY_HPP
#define HALFOPEN_SRC_CLI_GLOSSARY_HPP

/// \file
/// Every word that a report of halfopen uses, with what it means: for `halfopen explain`.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfopen::cli {

/// One meaning of a word.
struct meaning {
  std::string name;                                              ///< as reports print it
  std::string title;                                             ///< "not met (a verdict of halfopen lab)"
  std::vector<std::pair<std::string_view, std::string>> fields;  ///< {"means", "..."}, none empty
  std::vector<std::string> see;                                  ///< words that are explained below it
};

/// Words of one kind, as the list without a word shows them.
struct kind {
  std::string heading;  ///< "Endings: how a connection ended"
  std::vector<meaning> words;
  bool one_line_each = true;  ///< else their names, one after the other
};

/// All that can be listed. Places of a torture, `exit/6@2` and some errnos cannot, and have a meaning too.
[[nodiscard]] std::vector<kind> all_words();

/// What the word means, everything that it means; nothing if it is none. Case, quotes and whether its
/// parts are joined by blanks, hyphens or underscores do not matter.
[[nodiscard]] std::vector<meaning> meanings_of(std::string_view word);

/// Words that it may have been meant for, the nearest first, three at most.
[[nodiscard]] std::vector<std::string> words_near(std::string_view word);

}  // namespace halfopen::cli

#endif
