#include "clock/kernel.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "clock/recipe.hpp"

namespace halfopen::clock {
namespace {

namespace fs = std::filesystem;

class cache : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "halfopen-cache-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { fs::remove_all(folder); }

  void add(const std::string& name, const std::string& symbols = "time_travel_time 0x6058ae20\n") const {
    fs::create_directories(folder / name);
    std::ofstream(folder / name / "symbols") << symbols;
    std::ofstream(folder / name / "linux") << "#!/bin/sh\n";
    fs::permissions(folder / name / "linux", fs::perms::owner_all);
  }

  fs::path folder;
};

TEST_F(cache, gives_a_kernel_of_this_recipe_only) {
  EXPECT_FALSE(find_kernel(folder));
  add("6.12.1-1-0123456789abcdef");
  EXPECT_FALSE(find_kernel(folder));
  add("6.12.2-1-" + recipe());
  const auto found = find_kernel(folder);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, "6.12.2-1-" + recipe());
  EXPECT_EQ(found->executable, folder / found->key / "linux");
  EXPECT_EQ(found->time_travel_time, 0x6058ae20U);
}

TEST_F(cache, passes_over_what_is_not_whole) {
  add("." + recipe());
  add("1-" + recipe(), "nothing 0x1\n");
  add("2-" + recipe());
  fs::remove(folder / ("2-" + recipe()) / "linux");
  EXPECT_FALSE(find_kernel(folder));
  EXPECT_FALSE(find_kernel(folder / "not there"));
}

TEST_F(cache, gives_the_newest) {
  add("1-" + recipe());
  add("2-" + recipe());
  fs::last_write_time(folder / ("2-" + recipe()) / "linux",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(find_kernel(folder)->key, "1-" + recipe());
}

TEST_F(cache, is_in_the_users_own) {
  const std::string home_before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "/";
  ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(kernel_cache(), "/somewhere/halfopen/kernel");
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(kernel_cache(), "/home/me/.cache/halfopen/kernel");
  ::unsetenv("HOME");
  const passwd* me = ::getpwuid(::geteuid());
  if (me == nullptr)
    EXPECT_TRUE(kernel_cache().empty());
  else
    EXPECT_EQ(kernel_cache(), fs::path(me->pw_dir) / ".cache/halfopen/kernel");
  EXPECT_FALSE(build_kernel([](std::string_view) {}, {}));
  ::setenv("HOME", home_before.c_str(), 1);
}

TEST(recipe, is_of_all_that_makes_the_kernel) {
  EXPECT_EQ(recipe().size(), 16U);
  EXPECT_NE(build_script.find("KCONFIG_ALLCONFIG"), std::string_view::npos);
  EXPECT_NE(kernel_options.find("UML_TIME_TRAVEL_SUPPORT"), std::string_view::npos);
  EXPECT_NE(kernel_patch.find("HOST_FP_SIZE, 11136"), std::string_view::npos);
}

}  // namespace
}  // namespace halfopen::clock
