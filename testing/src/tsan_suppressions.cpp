// SPDX-License-Identifier: Apache-2.0

// libstdc++ counts the references of an exception with atomics inside its shared library, where
// ThreadSanitizer cannot see them: an error that travels to another thread looks like a race with
// the end of the catch block, or of the pointer, that let go of it last.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:threadkeep::Error::~Error\n"
         "race:threadkeep::Error::State\n";
}
