import CLinux
import Testing

@testable import LinuxPlatform

/// In which order a host's addresses are tried.
struct AddressRaceTests {
  /// `addresses` in the order that `arrange` brings them into.
  private func arranged(
    _ addresses: [String], _ arrange: (UnsafeMutablePointer<linux_address>, Int) -> Void
  ) -> [String] {
    let list = UnsafeMutablePointer<linux_address>.allocate(capacity: addresses.count)
    defer { list.deallocate() }
    for (index, text) in addresses.enumerated() { list[index] = address(text) }
    arrange(list, addresses.count)
    return (0..<addresses.count).map { place in
      addresses.first { text in
        var wanted = address(text)
        return linux_same_address(&wanted, list + place) != 0
      } ?? "?"
    }
  }

  private func address(_ text: String) -> linux_address {
    var address = linux_address()
    #expect(linux_resolve(text, 1883, 1, &address, 1) == 1)
    return address
  }

  @Test func `families take turns, beginning with the one the system prefers`() {
    let alternated = arranged(["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]) {
      AddressRace.alternate($0, count: $1)
    }
    #expect(alternated == ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"])
    let fromFour = arranged(["127.0.0.1", "127.0.0.2", "::1"]) { AddressRace.alternate($0, count: $1) }
    #expect(fromFour == ["127.0.0.1", "::1", "127.0.0.2"])
  }

  @Test func `addresses of one family keep the system's order`() {
    for addresses in [["127.0.0.3", "127.0.0.1", "127.0.0.2"], ["::2"], []] {
      #expect(arranged(addresses) { AddressRace.alternate($0, count: $1) } == addresses)
    }
  }

  @Test func `the address that worked comes first, the others stay in order`() {
    let moved = arranged(["::1", "127.0.0.1", "::2"]) {
      AddressRace.moveToFront(address("::2"), $0, count: $1)
    }
    #expect(moved == ["::2", "::1", "127.0.0.1"])
    let gone = arranged(["::1", "127.0.0.1"]) { AddressRace.moveToFront(address("::2"), $0, count: $1) }
    #expect(gone == ["::1", "127.0.0.1"])
  }
}
