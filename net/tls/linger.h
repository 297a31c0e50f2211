// The end of a connection whose last bytes the peer has yet to get.
//
// close(2) of a TCP socket with unread data resets the connection, and so does data that comes
// after close(2). A reset discards what is on its way to the peer: unread session tickets would
// cost the peer the end of a stream whose every write was a success. So what has come is read, the
// peer gets the end of the stream, and if its kernel has not acknowledged everything yet, a
// duplicate of the descriptor is kept until it has, for at most 30 s, on one thread for all such
// connections.
//
// Refused: SO_LINGER, which blocks close(2) and still resets when data comes; waiting in close(),
// which a slow peer would then delay.
#pragma once
#include <cstddef>
#include <vector>

namespace weft::tls::detail {

// To be called before the socket is closed. `rest` goes to the peer first. Does not block. Any
// thread.
void linger(int fd, std::vector<std::byte> rest);

}  // namespace weft::tls::detail
