// SPDX-License-Identifier: Apache-2.0
#include "value_cache.hpp"

namespace threadkeep::redis {

std::string RedisValueCache::name_of(std::string_view key) const {
  return (database_.settings().prefix + ":{cache}:").append(key);
}

Reply RedisValueCache::run(const Pipeline& pipeline, const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  return connection->read(pipeline, call).front();
}

std::optional<Bytes> RedisValueCache::get(std::string_view key, const Call& call) {
  const std::string name = name_of(key);
  Pipeline pipeline;
  pipeline.add({"GET", name});
  const Reply reply = run(pipeline, call);
  if (reply.is_nil()) return {};
  return reply.bytes(0);
}

void RedisValueCache::set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
                          const Call& call) {
  const std::string name = name_of(key);
  const std::string milliseconds = std::to_string(keep.count());
  Pipeline pipeline;
  pipeline.add({"SET", name, value.view(), "PX", milliseconds});
  run(pipeline, call);
}

void RedisValueCache::erase(std::string_view key, const Call& call) {
  const std::string name = name_of(key);
  Pipeline pipeline;
  pipeline.add({"UNLINK", name});
  run(pipeline, call);
}

}  // namespace threadkeep::redis
