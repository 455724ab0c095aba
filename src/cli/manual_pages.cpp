#include "cli/manual_pages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace halfopen::cli {
namespace {

/// A text as roff shows it: no line is a request, a minus is one that can be copied.
std::string roff(std::string_view text) {
  std::string made;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) made += "\\&";
    line_begins = c == '\n';
    if (c == '\\')
      made += "\\e";
    else if (c == '-')
      made += "\\-";
    else
      made += c;
  }
  return made;
}

/// One argument of a macro.
std::string argument(std::string_view text) {
  std::string made = roff(text);
  for (std::size_t at = 0; (at = made.find('"', at)) != std::string::npos; at += 4)
    made.replace(at, 1, "\\(dq");
  return "\"" + made + "\"";
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands(
      [](const CLI::App* one) { return !one->get_name().empty() && !one->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return !o->get_group().empty(); });
}

/// "--case CASE...", "-o, --output FILE", and what stands without a name: "FILE".
std::string left_side(const CLI::Option& o) {
  std::vector<std::string> names;
  for (const std::string& s : o.get_snames()) names.push_back("-" + s);
  for (const std::string& l : o.get_lnames()) names.push_back("--" + l);
  const std::string value =
      o.get_type_size() == 0 && names.size() > 0 && o.get_type_name().empty() ? "" : o.get_type_name();
  if (names.empty()) return o.get_name(true);
  const bool glued = value.starts_with('[');
  return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() || glued ? "" : " ", value);
}

void options_section(std::string& text, const CLI::App& app) {
  for (const CLI::Option* o : options_of(app)) {
    const std::string more =
        o->get_default_str().empty() ? "" : fmt::format(" Default: {}.", o->get_default_str());
    text +=
        fmt::format(".TP\n.B {}\n{}{}\n", argument(left_side(*o)), roff(o->get_description()), roff(more));
  }
}

/// Our footers are paragraphs, and lists that are indented: shown as they are.
void footer_section(std::string& text, const CLI::App& app) {
  std::istringstream lines(app.get_footer());
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  if (all.empty()) return;
  text += ".SH NOTES\n.nf\n";
  for (const std::string& line : all) {
    const bool heading = line.starts_with("Examples:");
    if (heading) text += ".fi\n.SH EXAMPLES\n.nf\n";
    const std::string rest = heading ? line.substr(std::string_view("Examples:").size()) : line;
    if (!(heading && rest.empty())) text += roff(rest) + "\n";
  }
  text += ".fi\n";
}

std::string head_of(const std::string& name, const std::string& description, const std::string& version) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return fmt::format(".TH {} 1 \"\" {}\n.SH NAME\n{} \\- {}\n", argument(upper),
                     argument("halfopen " + version), roff(name), roff(description));
}

std::string synopsis_of(const std::string& words, const CLI::App& app) {
  std::string text = fmt::format(".SH SYNOPSIS\n.B {}\n", argument(words));
  if (!options_of(app).empty()) text += "[\\fIOPTION\\fR ...]\n";
  for (const CLI::Option* o : options_of(app))
    if (o->get_positional())
      text += fmt::format("{}\\fI{}\\fR{}\n", o->get_required() ? "" : "[", roff(o->get_name(true)),
                          o->get_required() ? "" : "]");
  if (!verbs_of(app).empty()) text += "\\fIVERB\\fR ...\n";
  return text;
}

manual_page page_of_verb(const CLI::App& verb, const std::string& version) {
  const std::string name = "halfopen-" + verb.get_name();
  std::string text = head_of(name, verb.get_description(), version);
  text += synopsis_of("halfopen " + verb.get_name(), verb);
  text += ".SH OPTIONS\n";
  options_section(text, verb);
  for (const CLI::App* one : verbs_of(verb)) {
    text += fmt::format(".SS {}\n{}\n", argument(verb.get_name() + " " + one->get_name()),
                        roff(one->get_description()));
    options_section(text, *one);
  }
  footer_section(text, verb);
  text += ".SH SEE ALSO\n.BR halfopen (1)\n";
  return {name, text};
}

manual_page page_of_program(const CLI::App& program, const std::string& version) {
  std::string text = head_of("halfopen", program.get_description(), version);
  text += synopsis_of("halfopen", program);
  text += ".SH VERBS\n";
  for (const CLI::App* verb : verbs_of(program))
    text += fmt::format(".TP\n.BR {} (1)\n{}\n", argument("halfopen-" + verb->get_name()),
                        roff(verb->get_description()));
  text += ".SH OPTIONS\n";
  options_section(text, program);
  footer_section(text, program);
  return {"halfopen", text};
}

// ---- completion

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> all;
  for (const CLI::Option* o : options_of(app)) {
    for (const std::string& l : o->get_lnames()) all.push_back("--" + l);
    for (const std::string& s : o->get_snames()) all.push_back("-" + s);
  }
  return all;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& verbs) {
  std::vector<std::string> all;
  for (const CLI::App* v : verbs) all.push_back(v->get_name());
  return all;
}

/// In single quotes of a POSIX shell.
std::string shell_quoted(std::string_view text) {
  std::string made = "'";
  for (const char c : text) made += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return made + "'";
}

std::string bash_completion(const CLI::App& program) {
  std::string text =
      "# bash completion of halfopen\n"
      "_halfopen() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n";
  text += fmt::format("    mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")\n    return\n  fi\n",
                      shell_quoted(fmt::format("{} {}", fmt::join(names_of(verbs_of(program)), " "),
                                               fmt::join(names_of(program), " "))));
  text += "  case $verb,$before in\n";
  for (const CLI::App* verb : verbs_of(program))
    for (const CLI::Option* o : options_of(*verb))
      if (const auto values = values_of(*o); !values.empty())
        for (const std::string& l : o->get_lnames())
          text +=
              fmt::format("    {},--{}) mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\"); return ;;\n",
                          verb->get_name(), l, shell_quoted(fmt::format("{}", fmt::join(values, " "))));
  text += "  esac\n  case $verb in\n";
  for (const CLI::App* verb : verbs_of(program)) {
    auto words = names_of(*verb);
    for (const std::string& one : names_of(verbs_of(*verb))) words.push_back(one);
    text += fmt::format("    {}) mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\") ;;\n", verb->get_name(),
                        shell_quoted(fmt::format("{}", fmt::join(words, " "))));
  }
  text +=
      "  esac\n"
      "  [[ $word == -* ]] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$word\")\n"
      "}\n"
      "complete -o filenames -F _halfopen halfopen\n";
  return text;
}

/// In zsh's _arguments and _describe a colon parts, and brackets enclose.
std::string zsh_words(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') made += '\\';
    made += c;
  }
  return made;
}

std::string zsh_completion(const CLI::App& program) {
  std::string text = "#compdef halfopen\n\n_halfopen() {\n  local -a verbs=(\n";
  for (const CLI::App* v : verbs_of(program))
    text += fmt::format("    {}\n", shell_quoted(v->get_name() + ":" + zsh_words(v->get_description())));
  text +=
      "  )\n  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n  case $words[2] in\n";
  for (const CLI::App* v : verbs_of(program)) {
    text += fmt::format("    {}) _arguments -s", v->get_name());
    for (const CLI::Option* o : options_of(*v))
      for (const std::string& l : o->get_lnames()) {
        std::string spec = "*--" + l + "[" + zsh_words(o->get_description()) + "]";
        const auto values = values_of(*o);
        if (!values.empty())
          spec += fmt::format(":value:({})", fmt::join(values, " "));
        else if (o->get_type_size() != 0)
          spec += ":" + zsh_words(o->get_type_name().empty() ? "value" : o->get_type_name()) + ":_files";
        text += " \\\n      " + shell_quoted(spec);
      }
    text += " \\\n      '*:file:_files' ;;\n";
  }
  text += "  esac\n}\n\n_halfopen \"$@\"\n";
  return text;
}

/// fish knows \\ and \' in single quotes.
std::string fish_quoted(std::string_view text) {
  std::string made = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') made += '\\';
    made += c;
  }
  return made + "'";
}

std::string fish_completion(const CLI::App& program) {
  std::string text = "# fish completion of halfopen\n";
  for (const CLI::App* v : verbs_of(program))
    text += fmt::format("complete -c halfopen -n __fish_use_subcommand -a {} -d {}\n", v->get_name(),
                        fish_quoted(v->get_description()));
  for (const CLI::App* v : verbs_of(program))
    for (const CLI::Option* o : options_of(*v))
      for (const std::string& l : o->get_lnames()) {
        const auto values = values_of(*o);
        const std::string value =
            !values.empty() ? fmt::format(" -x -a {}", fish_quoted(fmt::format("{}", fmt::join(values, " "))))
            : o->get_type_size() != 0 ? " -r"
                                      : "";
        text += fmt::format("complete -c halfopen -n '__fish_seen_subcommand_from {}' -l {}{} -d {}\n",
                            v->get_name(), l, value, fish_quoted(o->get_description()));
      }
  return text;
}

}  // namespace

std::vector<std::string> values_of(const CLI::Option& o) {
  std::string type = o.get_type_name();
  if (type.starts_with("[=") && type.ends_with(']')) type = type.substr(2, type.size() - 3);
  if (type.find('|') == std::string::npos) return {};
  std::vector<std::string> all;
  std::istringstream parts(type);
  for (std::string one; std::getline(parts, one, '|');) {
    const bool word = !one.empty() && std::ranges::all_of(one, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (word) all.push_back(one);  // of "N|all" the one that is meant as it is
  }
  return all;
}

std::vector<manual_page> manual_pages(const CLI::App& program, const std::string& version) {
  std::vector<manual_page> all{page_of_program(program, version)};
  for (const CLI::App* verb : verbs_of(program)) all.push_back(page_of_verb(*verb, version));
  return all;
}

std::string completion_for(const std::string& shell, const CLI::App& program) {
  return shell == "bash"  ? bash_completion(program)
         : shell == "zsh" ? zsh_completion(program)
                          : fish_completion(program);
}

}  // namespace halfopen::cli
