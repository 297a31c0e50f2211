// A look at a private member, for tests that hold a moment still which nothing public can.
//
//   namespace weft::testing {
//   struct its_state { friend std::atomic<std::int64_t> wait_group::*member_of(its_state); };
//   template struct private_member<its_state, &wait_group::state_>;
//   }
//   ... group.*member_of(its_state()) ...
#pragma once

namespace weft::testing {

template <class Name, auto Member>
struct private_member {
  friend decltype(Member) member_of(Name) { return Member; }
};

}  // namespace weft::testing
