#ifndef HALFOPEN_SRC_NET_TEST_FOLDER_HPP
#define HALFOPEN_SRC_NET_TEST_FOLDER_HPP

#include <stdlib.h>
#include <filesystem>
#include <string>

namespace halfopen::net::test {

/// A folder of its own, which goes with what is in it.
class folder {
 public:
  folder() {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code no;
    if (!path_.empty()) std::filesystem::remove_all(path_, no);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "halfopen-XXXXXX").string();
};

}  // namespace halfopen::net::test

#endif
