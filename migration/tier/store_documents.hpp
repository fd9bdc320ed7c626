// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "migration/tier/store_contents.hpp"

namespace threadkeep::migration {

/// What two scopes have under one key; one of the two may be absent.
using UseDocuments = std::function<void(const StateDocument* source, const StateDocument* target)>;

/// Goes through the documents of one scope of two stores side by side, by key. Holds a page of
/// each.
void each_document(const StoreContents& source, const StoreContents& target,
                   const StateScope& scope, const UseDocuments& use, const Call& call);

}  // namespace threadkeep::migration
