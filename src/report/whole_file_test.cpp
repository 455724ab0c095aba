#include "report/whole_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace halfopen::report {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class whole_file : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "halfopen-whole-file-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }

  fs::path file(const char* name, const std::string& text = "old", unsigned mode = 0640) {
    std::ofstream(folder_ / name) << text;
    ::chmod((folder_ / name).c_str(), mode);
    return folder_ / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat s{};
    ::stat(path.c_str(), &s);
    return s.st_mode & 07777U;
  }

  fs::path folder_;
};

TEST_F(whole_file, a_new_one_has_the_mode_that_the_umask_leaves) {
  const mode_t before = ::umask(0027);
  EXPECT_TRUE(write_whole_file(folder_ / "new", "text"));
  ::umask(before);
  EXPECT_EQ(content(folder_ / "new"), "text");
  EXPECT_EQ(mode_of(folder_ / "new"), 0640U);
  EXPECT_THAT(names(), ElementsAre("new"));
}

TEST_F(whole_file, an_old_one_keeps_its_mode_and_whoever_has_it_open_reads_the_old_text) {
  const fs::path path = file("old", "old text", 0604);
  std::ifstream reader(path);
  EXPECT_TRUE(write_whole_file(path, "new"));
  EXPECT_EQ(content(path), "new");
  EXPECT_EQ(mode_of(path), 0604U);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "old text");
  EXPECT_THAT(names(), ElementsAre("old"));
}

TEST_F(whole_file, a_name_without_a_folder_is_in_this_one) {
  const fs::path here = fs::current_path();
  fs::current_path(folder_);
  EXPECT_TRUE(can_write_file("bare"));
  EXPECT_TRUE(write_whole_file("bare", "text"));
  fs::current_path(here);
  EXPECT_EQ(content(folder_ / "bare"), "text");
}

TEST_F(whole_file, a_symbolic_link_stays_one) {
  file("target");
  fs::create_symlink("target", folder_ / "link");
  fs::create_symlink("link", folder_ / "link to link");
  fs::create_symlink("nothing yet", folder_ / "dangling");
  EXPECT_TRUE(write_whole_file(folder_ / "link to link", "new"));
  EXPECT_TRUE(write_whole_file(folder_ / "dangling", "made"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link to link"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "dangling"));
  EXPECT_EQ(content(folder_ / "target"), "new");
  EXPECT_EQ(content(folder_ / "nothing yet"), "made");
}

TEST_F(whole_file, a_fifo_is_written_to_and_stays_one) {
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(can_write_file(fifo)) << "which does not wait for a reader";
  std::string read;
  std::thread reader([&] { read = content(fifo); });
  EXPECT_TRUE(write_whole_file(fifo, "text"));
  reader.join();
  EXPECT_EQ(read, "text");
  EXPECT_TRUE(fs::is_fifo(fifo));
}

TEST_F(whole_file, what_is_open_already_is_not_opened_again) {
  const fs::path path = file("open", "");
  const int fd = ::open(path.c_str(), O_WRONLY);
  const std::string device = "/dev/fd/" + std::to_string(fd);
  EXPECT_TRUE(can_write_file(device));
  EXPECT_EQ(::write(fd, "before ", 7), 7);
  EXPECT_TRUE(write_whole_file(device, "it "));
  EXPECT_EQ(::write(fd, "after", 5), 5);
  ::close(fd);
  EXPECT_EQ(content(path), "before it after");
  EXPECT_EQ(write_whole_file("/dev/full", "text").error(), "cannot write /dev/full: No space left on device");
  EXPECT_TRUE(can_write_file("/dev/null"));
}

TEST_F(whole_file, the_check_neither_makes_nor_changes_anything) {
  const fs::path path = file("old");
  EXPECT_TRUE(can_write_file(path));
  EXPECT_TRUE(can_write_file(folder_ / "new"));
  EXPECT_TRUE(can_write_file(std::string(standard_output)));
  EXPECT_EQ(content(path), "old");
  EXPECT_THAT(names(), ElementsAre("old"));
}

TEST_F(whole_file, what_cannot_be_written_is_told_before_and_after) {
  file("file");
  const std::string long_name = folder_ / std::string(300, 'x');
  for (const auto& [path, why] : std::vector<std::pair<std::string, std::string>>{
           {folder_, "Is a directory"},
           {folder_ / "new/", "Is a directory"},
           {folder_ / "missing/new", "No such file or directory"},
           {folder_ / "file/new", "Not a directory"},
           {long_name, "File name too long"},
           {"", "No such file or directory"}}) {
    const std::string sentence = "cannot write " + path + ": " + why;
    ASSERT_FALSE(can_write_file(path)) << path;
    EXPECT_EQ(can_write_file(path).error(), sentence);
    ASSERT_FALSE(write_whole_file(path, "text")) << path;
    EXPECT_EQ(write_whole_file(path, "text").error(), sentence);
  }
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(whole_file, modes_are_respected_though_the_folder_would_let_it_be_replaced) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anything";
  const fs::path path = file("old", "old", 0400);
  EXPECT_THAT(can_write_file(path).error(), EndsWith("Permission denied"));
  EXPECT_THAT(write_whole_file(path, "new").error(), EndsWith("Permission denied"));
  EXPECT_EQ(content(path), "old");
}

TEST_F(whole_file, where_the_folder_takes_no_other_file_it_is_written_in_place) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write into any folder";
  const fs::path path = file("old", "an old text that is longer");
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_TRUE(can_write_file(path));
  EXPECT_TRUE(write_whole_file(path, "new"));
  EXPECT_EQ(content(path), "new");
  EXPECT_FALSE(can_write_file(folder_ / "new"));
}

/// In a process of its own, which the limit of a file's size would end; its exit code.
int in_a_process_with_small_files(const std::function<bool()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit small{.rlim_cur = 1000, .rlim_max = 1000};
    ::signal(SIGXFSZ, SIG_DFL);
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::_exit(action() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(whole_file, after_an_error_the_old_report_is_there_and_nothing_else) {
  const fs::path path = file("old");
  for (const char* name : {"old", "new"})
    EXPECT_EQ(in_a_process_with_small_files([&] {
                const auto written = write_whole_file(folder_ / name, std::string(5000, 'x'));
                return !written && written.error().ends_with("File too large");
              }),
              0)
        << name;
  EXPECT_EQ(content(path), "old");
  EXPECT_THAT(names(), ElementsAre("old"));
}

TEST_F(whole_file, a_reader_finds_a_whole_report_at_any_moment_and_a_kill_leaves_nothing) {
  const std::string one(100'000, '1');
  const std::string two(200'000, '2');
  const fs::path path = file("report", one);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0)
      for (bool which = false;; which = !which) (void)write_whole_file(path, which ? one : two);
    for (int look = 0; look < 10; ++look) {
      const std::string found = content(path);
      EXPECT_TRUE(found == one || found == two) << found.size() << " bytes";
    }
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
    EXPECT_THAT(names(), ElementsAre("report")) << "after SIGTERM, which comes when it is done";
  }
}

}  // namespace
}  // namespace halfopen::report
