// A program whose end is the fact: OpenSSL is not taken apart while threads may still be in it.
#include <openssl/crypto.h>
#include <weft/tls.h>

#include <cstdio>

int main() {
  if (weft::tls::parse_roots("none").err != weft::tls::errc::bad_pem) return 1;
  OPENSSL_atexit([] { std::puts("taken apart"); });
  std::puts("end");
  return 0;
}
