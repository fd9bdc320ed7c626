// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <iostream>

namespace threadkeep::cli {

namespace {

std::size_t width_now() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool has_colours() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool refused = no_colour != nullptr && *no_colour != '\0';
  return ::isatty(STDOUT_FILENO) == 1 && !refused && term != nullptr && std::string(term) != "dumb";
}

struct Terminal {
  bool colours = has_colours();
  std::size_t width = width_now();
};

// As it was when it was first asked for.
const Terminal& terminal() {
  static const Terminal found;
  return found;
}

std::string marked(const char* code, const std::string& text) {
  return terminal().colours && !text.empty() ? "\033[" + std::string(code) + "m" + text + "\033[0m"
                                             : text;
}

}  // namespace

void prepare_terminal() {
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

void remember_terminal() {
  terminal();
}

std::size_t terminal_width() {
  return terminal().width;
}

std::string bold(const std::string& text) {
  return marked("1", text);
}
std::string faint(const std::string& text) {
  return marked("2", text);
}
std::string added(const std::string& text) {
  return marked("32", text);
}
std::string removed(const std::string& text) {
  return marked("31", text);
}

Answer ask(const std::string& question) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return Answer::nobody;
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes" ? Answer::yes : Answer::no;
}

}  // namespace threadkeep::cli
