// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "completion.hpp"

namespace threadkeep::cli {

namespace {

// Text of a page for man(1) (man-pages(7)): a backslash and a hyphen mean themselves only after a
// backslash, and a line must not begin with a dot or an apostrophe.
std::string roff(const std::string& text) {
  std::string result;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    at_start = c == '\n';
  }
  return result;
}

// Paragraphs, which empty lines separate.
std::string paragraphs(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += line.empty() ? ".PP\n" : roff(line) + "\n";
  }
  return result;
}

void print(std::ostream& out, const ArgumentDescription& argument) {
  out << ".TP\n\\fB" << roff(argument.name) << "\\fR";
  if (argument.takes_value && argument.name.starts_with("--")) out << " \\fIVALUE\\fR";
  out << "\n" << roff(argument.text) << "\n";
}

void print(std::ostream& out, const CommandDescription& command) {
  out << ".SS threadkeep " << roff(command.words);
  for (const auto& positional : command.positionals) out << " " << roff(positional.name);
  out << "\n" << paragraphs(command.text);
  for (const auto& positional : command.positionals) print(out, positional);
  for (const auto& option : command.options) print(out, option);
  out << ".PP\n.nf\n" << roff(command.examples) << "\n.fi\n";
}

}  // namespace

void print_manual(std::ostream& out, const std::vector<CommandDescription>& commands,
                  const std::string& version) {
  const CommandDescription& program = commands.front();
  out << ".TH THREADKEEP 1 \"\" \"threadkeep " << roff(version) << "\" \"User Commands\"\n"
      << ".SH NAME\nthreadkeep \\- looks after stores of agent threads\n"
      << ".SH SYNOPSIS\n\\fBthreadkeep\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
      << ".SH DESCRIPTION\n"
      << paragraphs(program.text) << ".SH OPTIONS\n";
  for (const auto& option : program.options) print(out, option);
  out << ".SH COMMANDS\n";
  for (const auto& command : commands) {
    if (command.commands.empty()) print(out, command);
  }
  out << ".SH ENVIRONMENT\n"
         ".TP\n\\fBTHREADKEEP_URL\\fR\nThe store, where no option names one.\n"
         ".TP\n\\fBTHREADKEEP_CONFIG\\fR\nThe file to read instead of ./threadkeep.yaml.\n"
         ".TP\n\\fBTHREADKEEP_PAGER\\fR, \\fBPAGER\\fR\nThe pager, less \\-FRX if not given.\n"
         ".TP\n\\fBNO_COLOR\\fR\nNo colours, whatever its value.\n";
}

}  // namespace threadkeep::cli
