import CLinux
import DeviceFile
import DeviceRuntime
import LinuxPlatform
import MQTTCodec

/// What somebody who looks into a fault asks first: `--version --verbose`. It needs no device file and no rights; what
/// cannot be read is named with the reason.
struct Report {
  let catalog: Catalog

  /// Numbers that GPIO chips and I2C buses are looked for under.
  private static let numbers = 0..<256

  func write() {
    line("build", "\(Compiler.name), \(String(cString: linux_build()))")
    line("mqtt", ProtocolVersion.hasV5 ? "5.0 and 3.1.1" : "3.1.1")
    line("kernel", reading { linux_kernel($0, $1) }.text)
    line("board", file("/proc/device-tree/model").text)
    writeLibraries()
    writeEach("gpio") { number in
      var lines: UInt32 = 0
      let chip = reading { label, _ in Int(linux_gpio_chip(UInt32(number), label, &lines)) }
      if chip.error == ENOENT { return nil }
      return "gpiochip\(number): \(chip.text)\(lines > 0 ? ", \(Int(lines)) lines" : "")"
    }
    writeEach("i2c") { number in
      let bus = file("/sys/class/i2c-dev/i2c-\(number)/name")
      return bus.error == ENOENT ? nil : "i2c-\(number): \(bus.text)"
    }
    for kind in catalog.modules {
      line("module", "\(kind.name)\(kind.chips.isEmpty ? "" : ": ")\(listed(kind.chips))")
    }
  }

  private func writeLibraries() {
    var library = linux_library()
    var index: Int32 = 0
    while linux_library_at(index, &library) != 0 {
      index += 1
      let name = String(cString: library.name)
      if let version = library.version {
        line("library", "\(name) \(version[0] == 0 ? "is there" : String(cString: version))")
      } else if library.is_linked == 0 {
        line("library", "\(name) is not there: \(String(cString: library.use)) needs it")
      }
    }
  }

  private func writeEach(_ title: String, _ describe: (Int) -> Message?) {
    var isAny = false
    for number in Report.numbers {
      guard let text = describe(number) else { continue }
      isAny = true
      line(title, text)
    }
    if !isAny { line(title, "none") }
  }

  private func line(_ title: String, _ value: Message) {
    var start = title
    while start.utf8.count < 8 { start += " " }
    StandardStream.output.write("\(start)\(value)\n")
  }

  // MARK: - Texts of the system

  /// A text, or the reason why there is none, and its error number.
  private typealias Reading = (text: Message, error: Int32)

  private func file(_ path: Message) -> Reading {
    path.text.withCString { path in reading { linux_read_file(path, $0, $1) } }
  }

  /// What `read` writes, without the NUL or line end behind it, or why it cannot: minus an error number.
  private func reading(_ read: (UnsafeMutablePointer<CChar>, Int) -> Int) -> Reading {
    var text = ""
    var error: Int32 = 0
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { bytes in
      for index in bytes.indices { bytes[index] = 0 }
      guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
      let count = read(start, bytes.count - 1)
      if count < 0 {
        error = Int32(-count)
        text = "not known: " + String(cString: linux_message(error))
      } else {
        if count > 0, bytes[count - 1] == 0x0A { bytes[count - 1] = 0 }
        text = String(cString: start)
      }
    }
    return ("\(text)", error)
  }
}
