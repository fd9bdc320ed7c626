// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "printable.hpp"

namespace threadkeep::cli {

namespace {

constexpr auto first_after = std::chrono::seconds(1);
constexpr auto on_terminal = std::chrono::milliseconds(200);
constexpr auto elsewhere = std::chrono::seconds(10);
constexpr std::size_t bar_width = 20;

std::size_t error_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// "0:07", "12:30", "3:02:01".
std::string time_left_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  const std::string rest = two_digits(whole % 60);
  if (whole < 3600) return std::to_string(whole / 60) + ":" + rest;
  return std::to_string(whole / 3600) + ":" + two_digits(whole / 60 % 60) + ":" + rest;
}

// "1.5 MiB/s", "120 rows/s"
std::string rate(const Progress::State& state, double seconds) {
  const bool in_units = state.bytes == 0 && !state.unit.empty();
  const auto done = static_cast<double>(in_units ? state.done : state.bytes);
  const auto each_second = static_cast<std::size_t>(done / seconds);
  return (in_units ? std::to_string(each_second) + " " + state.unit : size_text(each_second)) +
         "/s";
}

std::string bar(double part) {
  const auto full = static_cast<std::size_t>(part * bar_width);
  const auto percent = static_cast<int>(part * 100);
  return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "] " +
         std::to_string(percent) + "% ";
}

}  // namespace

std::string Progress::line(const State& state, std::chrono::duration<double> elapsed,
                           std::size_t width) {
  const double seconds = std::max(elapsed.count(), 0.001);
  const bool known = state.total && *state.total > 0;
  const double part =
      known ? std::min(1.0, static_cast<double>(state.done) / static_cast<double>(*state.total))
            : 0.0;
  std::string text = known ? bar(part) : "";
  text += state.text + ", " + rate(state, seconds);
  if (part > 0) text += ", " + time_left_text(seconds * (1 - part) / part) + " left";
  return width == 0 ? text : shortened(text, width);
}

Progress::Progress(bool quiet)
    : quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      next_(start_ + (terminal_ ? Clock::duration(first_after) : Clock::duration(elsewhere))) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

void Progress::step(const std::function<State()>& state) {
  const auto now = Clock::now();
  if (quiet_ || now < next_) return;
  next_ = now + (terminal_ ? Clock::duration(on_terminal) : Clock::duration(elsewhere));
  if (!terminal_) {
    std::cerr << line(state(), now - start_, 0) << std::endl;
    return;
  }
  const std::size_t width = error_width();
  std::cerr << "\r" << line(state(), now - start_, width > 1 ? width - 1 : 0) << "\033[K"
            << std::flush;
  drawn_ = true;
}

}  // namespace threadkeep::cli
