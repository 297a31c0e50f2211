// A map that many fibers use at once. Go's sync.Map.
//
// The keys are spread over 32 parts, each a hash map under a reader-writer lock, so that readers
// do not wait for readers and writers meet only in the same part. Equality and copying of keys and
// values are the caller's code and run under a part's lock: they may block, but not use the map.
//
// Refused: parts that are replaced whole at each write (a write would cost as much as the part is
// large), and one read-only map with a dirty one beside it (a steady trickle of new keys copies
// everything again and again).
#pragma once
#include <weft/rw_mutex.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class sync_map {
 public:
  sync_map() = default;
  sync_map(const sync_map&) = delete;
  sync_map& operator=(const sync_map&) = delete;

  // The value under k. Go's Load.
  std::optional<V> load(const K& k) const {
    const part& p = part_of(k);
    const std::shared_lock hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end()) return std::nullopt;
    return at->second;
  }
  void store(K k, V v) {
    part& p = part_of(k);
    std::optional<V> before;  // destroyed without the lock, like everything that is replaced here
    const std::lock_guard hold(p.lock);
    put_locked(p, std::move(k), std::move(v), before);
  }
  struct loaded_or_stored {
    V value;
    bool loaded;
  };
  // The value under k if there is one, else v, which is stored. Go's LoadOrStore.
  loaded_or_stored load_or_store(K k, V v) {
    part& p = part_of(k);
    {
      const std::shared_lock hold(p.lock);
      if (const auto at = p.map.find(k); at != p.map.end()) return {at->second, true};
    }
    const std::lock_guard hold(p.lock);
    const auto [at, stored] = p.map.try_emplace(std::move(k), std::move(v));
    return {at->second, !stored};
  }
  std::optional<V> load_and_delete(const K& k) {
    part& p = part_of(k);
    node taken;
    {
      const std::lock_guard hold(p.lock);
      taken = p.map.extract(k);
    }
    if (!taken) return std::nullopt;
    return std::move(taken.mapped());
  }
  // Go's Delete. Whether there was anything.
  bool erase(const K& k) {
    part& p = part_of(k);
    node taken;
    const std::lock_guard hold(p.lock);
    taken = p.map.extract(k);
    return !taken.empty();
  }
  // Stores v; returns what was there.
  std::optional<V> swap(K k, V v) {
    part& p = part_of(k);
    std::optional<V> before;
    {
      const std::lock_guard hold(p.lock);
      put_locked(p, std::move(k), std::move(v), before);
    }
    return before;
  }
  // Stores v if the value under k is equal to `expected`; says whether.
  bool compare_and_swap(const K& k, const V& expected, V v)
    requires std::equality_comparable<V>
  {
    part& p = part_of(k);
    const std::lock_guard hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end() || !(at->second == expected)) return false;
    std::swap(at->second, v);
    return true;
  }
  bool compare_and_delete(const K& k, const V& expected)
    requires std::equality_comparable<V>
  {
    part& p = part_of(k);
    node taken;
    const std::lock_guard hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end() || !(at->second == expected)) return false;
    taken = p.map.extract(at);
    return true;
  }
  // Calls f(key, value), with copies, once for each key until f returns false (f may return void). No
  // lock is held then, so f may use the map. What others change meanwhile is seen as it was before or
  // as it is after. Go's Range.
  template <class F>
  void range(F&& f) const {
    std::vector<std::pair<K, V>> some;
    for (const part& p : *parts_) {
      some.clear();
      {
        const std::shared_lock hold(p.lock);
        some.reserve(p.map.size());
        for (const auto& [k, v] : p.map) some.emplace_back(k, v);
      }
      for (const auto& [k, v] : some) {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, const K&, const V&>>) f(k, v);
        else if (!f(k, v)) return;
      }
    }
  }
  void clear() {
    for (part& p : *parts_) {
      map_type gone;
      const std::lock_guard hold(p.lock);
      gone.swap(p.map);
    }
  }

 private:
  using map_type = std::unordered_map<K, V, Hash, Equal>;
  using node = typename map_type::node_type;
  struct alignas(64) part {
    mutable rw_mutex lock;
    map_type map;  // under lock
  };
  static constexpr std::size_t n_parts = 32;

  // Hashes are often the key itself, and a map uses their low bits: so all bits are mixed.
  part& part_of(const K& k) const {
    const std::uint64_t mixed = static_cast<std::uint64_t>(Hash{}(k)) * 0x9e3779b97f4a7c15;
    return (*parts_)[mixed >> 59];
  }
  static void put_locked(part& p, K&& k, V&& v, std::optional<V>& before) {
    const auto [at, stored] = p.map.try_emplace(std::move(k), std::move(v));
    if (stored) return;
    before.emplace(std::move(at->second));
    at->second = std::move(v);
  }

  std::unique_ptr<std::array<part, n_parts>> parts_ = std::make_unique<std::array<part, n_parts>>();
};

}  // namespace weft
