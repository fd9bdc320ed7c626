// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace threadkeep {

/// An immutable, reference-counted buffer: the payload of a blob or of a pending write.
///
/// Copying a Bytes copies a pointer, so a queue, a batch and a backend share one buffer of any
/// size. The content never changes after construction; distinct Bytes may be used from any
/// thread. threadkeep never decodes the content.
class Bytes {
 public:
  Bytes() = default;

  /// Takes over the string's buffer.
  explicit Bytes(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    view_ = *owner;
    owner_ = std::move(owner);
  }

  /// Copies `view`.
  static Bytes copy(std::string_view view) { return Bytes(std::string(view)); }

  /// Refers to memory that `owner` keeps alive. The memory must not change while any copy lives.
  static Bytes share(std::shared_ptr<const void> owner, std::string_view view) {
    Bytes bytes;
    bytes.owner_ = std::move(owner);
    bytes.view_ = view;
    return bytes;
  }

  const char* data() const noexcept { return view_.data(); }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }
  /// Valid while any copy of this Bytes lives.
  std::string_view view() const noexcept { return view_; }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace threadkeep
