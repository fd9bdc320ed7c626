// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace threadkeep::cli {

/// While it lives, and the standard output is a terminal, what is printed goes through a pager:
/// THREADKEEP_PAGER, else PAGER, else `less -FRX`, which shows what fits on the screen and ends. An
/// empty one and `cat` mean none. One that cannot be started is left out. To be made before other
/// threads start, at most once; the end waits for the person to leave the pager.
class Pager {
 public:
  Pager();
  ~Pager();
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  pid_t pager_ = -1;
};

}  // namespace threadkeep::cli
