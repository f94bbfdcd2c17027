// A correction of the Embedded Swift runtime; the ordinary one is right and stays as it is.
//
// A String keeps tags in the upper bits of its object reference ("GPIO17" is nothing but tags and
// bytes). The runtime of Swift 6.3 takes them off to count the reference and then returns the bare
// reference, although the compiler relies on getting its argument back. On 64-bit targets a string is
// damaged wherever the compiler uses the result. (swiftlang/swift pull request 91151.)
//
// The runtime's definitions are weak, so these take their place. Remove them when the oldest
// supported compiler has the fix.
#if SWIFTLET_EMBEDDED && __SIZEOF_POINTER__ == 8

#include <stdint.h>

void *swift_retain(void *object);
void *swift_retain_n(void *object, uint32_t count);

// Keeps the top bit: references with it set are not counted.
static void *untagged(void *object) { return (void *)((uintptr_t)object & 0x8FFFFFFFFFFFFFF8); }

void *swift_bridgeObjectRetain(void *object) {
  swift_retain(untagged(object));
  return object;
}

void *swift_bridgeObjectRetain_n(void *object, uint32_t count) {
  swift_retain_n(untagged(object), count);
  return object;
}

#endif
