// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace threadkeep::cli {

// A thread that waits for the signals may do what a signal handler may not.
std::stop_token stop_on_interrupt() {
  static std::stop_source source;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int received = 0;
    while (sigwait(&signals, &received) != 0) continue;
    source.request_stop();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends the process
    for (;;) pause();
  }).detach();
  return source.get_token();
}

}  // namespace threadkeep::cli
