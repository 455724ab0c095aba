/* The shared library, from C. */

#include <errno.h>
#include <halfopen/halfopen.h>

int main(void) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  if (halfopen_diagnose(&f, -1, HALFOPEN_CONNECT, ECONNREFUSED, HALFOPEN_BY_OPERATION) != 0) return 1;
  return f.how == HALFOPEN_REFUSED && f.again == HALFOPEN_SAFE ? 0 : 2;
}
