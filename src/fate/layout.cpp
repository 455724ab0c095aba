#include "fate/layout.hpp"

namespace halfopen {

layout layout_in_library() noexcept {
  return layout_here;
}

}  // namespace halfopen
