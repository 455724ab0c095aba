#ifndef HALFOPEN_SRC_JUDGE_HTML_STYLE_HPP
#define HALFOPEN_SRC_JUDGE_HTML_STYLE_HPP

namespace halfopen::judge {

/// The CSS of the judge's page, but for its ladders and timelines (report::ladder_style,
/// report::timeline_style).
[[nodiscard]] const char* page_style() noexcept;

}  // namespace halfopen::judge

#endif
