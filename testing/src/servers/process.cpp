// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace threadkeep::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

[[noreturn]] void throw_errno(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  int read_end;
  int write_end;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Messages in English, and nothing that makes a client of Postgres go elsewhere.
std::vector<std::string> environment() {
  std::vector<std::string> result = {"LC_ALL=C"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("PG") && !text.starts_with("LC_ALL=")) result.emplace_back(text);
  }
  return result;
}

// In a session of its own: what is typed on a terminal is for the test program alone.
pid_t spawn(Command command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  auto variables = environment();
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, command.front().c_str(), &actions, &attributes,
                                 pointers(command).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw_errno("cannot run " + command.front(), error);
  return pid;
}

std::string read_all(int file) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const auto size = read(file, buffer, sizeof buffer);
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) return text;
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

const passwd& unprivileged_user() {
  static const passwd* user = [] {
    const auto* found = getpwnam("postgres");
    return found != nullptr ? found : getpwnam("nobody");
  }();
  if (user == nullptr) throw std::runtime_error("there is no user postgres or nobody");
  return *user;
}

// State and parent of a process, from the line that begins "pid (name) state parent".
std::optional<std::pair<char, pid_t>> state_of(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  char state = 0;
  pid_t parent = 0;
  rest >> state >> parent;
  return std::pair(state, parent);
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto state = state_of(entry.path());
    if (state && state->second == pid) children.push_back(std::stoi(name));
  }
  return children;
}

bool lives(pid_t pid) {
  const auto state = state_of("/proc/" + std::to_string(pid));
  return state && state->first != 'Z';
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Reports the server's process id, then waits for the name of a signal or for the end of the pipe.
constexpr char guardian_script[] = R"(
end_signal=$1 log=$2 directory=$3; shift 3
exec 2>>"$log"
"$@" </dev/null >>"$log" &
echo $!
orphaned=
read -r signal || { orphaned=yes; signal=$end_signal; }
kill -s "$signal" $! 2>/dev/null
wait $!
[ -z "$orphaned" ] || rm -rf "$directory"
)";

}  // namespace

std::string run_command(const Command& command) {
  const Pipe output;
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  Command quiet = {"sh", "-c", "exec \"$@\" 2>&1", "sh"};
  quiet.insert(quiet.end(), command.begin(), command.end());
  const auto pid = spawn(std::move(quiet), nothing, output.write_end);
  close(nothing);
  close(output.write_end);
  auto text = read_all(output.read_end);
  close(output.read_end);
  const int status = wait_for(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  std::string all;
  for (const auto& word : command) all += word + " ";
  throw std::runtime_error(all + "failed:\n" + text);
}

Command unprivileged(Command command) {
  if (geteuid() != 0) return command;
  const std::string user = unprivileged_user().pw_name;
  const auto group = std::to_string(unprivileged_user().pw_gid);
  Command result = {"setpriv", "--reuid=" + user, "--regid=" + group, "--init-groups", "--"};
  result.insert(result.end(), command.begin(), command.end());
  return result;
}

void hand_over(const std::filesystem::path& directory) {
  if (geteuid() != 0) return;
  const auto& user = unprivileged_user();
  if (chown(directory.c_str(), user.pw_uid, user.pw_gid) != 0) throw_errno("chown");
}

std::uint16_t free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      bind(listener, generic, size) == 0 && getsockname(listener, generic, &size) == 0;
  close(listener);
  if (!bound) throw_errno("no free port");
  return ntohs(address.sin_port);
}

bool accepts_connections(std::uint16_t port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  const bool connected =
      connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(client);
  return connected;
}

GuardedProcess::GuardedProcess(const Command& command, std::string end_signal,
                               const std::filesystem::path& log,
                               const std::filesystem::path& directory)
    : owner_(getpid()), end_signal_(std::move(end_signal)) {
  int control[2];  // sockets, which can be written to without a signal when nobody listens
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0) throw_errno("socketpair");
  const Pipe report;
  Command guardian = {"sh", "-c", guardian_script, "guardian", end_signal_, log, directory};
  guardian.insert(guardian.end(), command.begin(), command.end());
  guardian_ = spawn(unprivileged(std::move(guardian)), control[1], report.write_end);
  close(control[1]);
  close(report.write_end);
  control_ = control[0];
  report_ = report.read_end;
  std::string line;
  for (char byte = 0; read(report_, &byte, 1) == 1 && byte != '\n';) line.push_back(byte);
  if (line.empty()) {
    reap();
    throw std::runtime_error("no guardian for " + command.front());
  }
  pid_ = std::stoi(line);
}

GuardedProcess::~GuardedProcess() {
  if (getpid() == owner_ && guardian_ > 0) end(end_signal_);
}

bool GuardedProcess::runs() const {
  return guardian_ > 0 && lives(pid_);
}

void GuardedProcess::end(const std::string& signal) {
  if (guardian_ < 0) return;
  tell(signal);
  if (!wait(patience)) kill();
  reap();
}

void GuardedProcess::kill() {
  if (guardian_ < 0) return;
  ::kill(pid_, SIGSTOP);  // It starts no more children.
  const auto children = children_of(pid_);
  for (const auto child : children) ::kill(child, SIGKILL);
  ::kill(pid_, SIGKILL);
  tell(end_signal_);
  wait(patience);
  reap();
  for (const auto child : children) {
    while (lives(child)) std::this_thread::sleep_for(1ms);
  }
}

void GuardedProcess::tell(const std::string& signal) {
  const auto line = signal + "\n";
  send(control_, line.data(), line.size(), MSG_NOSIGNAL);  // A guardian that is gone needs no word.
}

// True when the guardian has ended, and so the server.
bool GuardedProcess::wait(std::chrono::milliseconds time) {
  pollfd end{report_, POLLIN, 0};
  return poll(&end, 1, static_cast<int>(time.count())) > 0;
}

void GuardedProcess::reap() {
  if (guardian_ < 0) return;
  close(control_);
  close(report_);
  wait_for(guardian_);
  guardian_ = -1;
}

}  // namespace threadkeep::testing
