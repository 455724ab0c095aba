#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cli/manual_pages.hpp"
#include "cli/report_file.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {

void add_manual(CLI::App& app, int& exit_code) {
  CLI::App& completion = *app.add_subcommand("completion", "What a shell needs to complete halfopen's words");
  const auto shell = std::make_shared<std::string>();
  completion.add_option("SHELL", *shell, "which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("bash|zsh|fish");
  completion.footer(
      "Examples:\n"
      "  source <(halfopen completion bash)\n"
      "  halfopen completion zsh > ~/.zfunc/_halfopen\n"
      "  halfopen completion fish > ~/.config/fish/completions/halfopen.fish");
  completion.callback([shell, &app, &exit_code] {
    fmt::print("{}", completion_for(*shell, app));
    exit_code = all_met;
  });

  CLI::App& manual = *app.add_subcommand("manual", "Writes the manual pages");
  manual.group("");  // for those who make a package
  const auto folder = std::make_shared<std::string>();
  manual.add_option("FOLDER", *folder, "where halfopen.1 and a page of each verb are written")->required();
  manual.callback([folder, &app, &exit_code] {
    try {
      std::filesystem::create_directories(*folder);
      for (const manual_page& p : manual_pages(app, HALFOPEN_VERSION))
        write_report((std::filesystem::path(*folder) / (p.name + ".1")).string(), p.text);
      exit_code = all_met;
    } catch (const usage_error& e) {
      exit_code = refuse("manual", e);
    } catch (const std::filesystem::filesystem_error& e) {
      exit_code = refuse("manual", usage_error(e.what()));
    }
  });
}

}  // namespace halfopen::cli
