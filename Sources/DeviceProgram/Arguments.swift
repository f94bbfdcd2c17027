import CLinux
import DeviceFile
import DeviceRuntime

/// The command line, taken apart.
struct Arguments {
  var command = Command.run
  var config: String?
  var board: String?
  var boards: String?
  var log: LogLevel?
  var isVerbose = false

  var deviceFile: String { config ?? "/boot/firmware/swiftlet/device.yaml" }

  enum Command {
    case run
    case check
    case forget
    case version
    case help
  }

  static func usage(_ program: String) -> Message {
    """
    \(program): drives relays and reads sensors from MQTT topics

    usage: \(program) [run] [--config FILE] [--board NAME] [--boards DIR] [--log LEVEL]
           \(program) check FILE [--verbose] [--board NAME] [--boards DIR]
           \(program) forget [--config FILE] [--board NAME] [--boards DIR]
           \(program) --version [--verbose] | --help

      --config FILE   the device file (default /boot/firmware/swiftlet/device.yaml)
      --board NAME    this board instead of the device file's, such as simulator
      --boards DIR    where the board files are (default: boards/ beside the device file,
                      ./boards, /usr/share/swiftlet/boards)
      --log LEVEL     debug, info, warning or error instead of the device file's; a running program
                      logs more after SIGUSR1, and less after SIGUSR2

    check validates the device file without touching hardware: it prints all errors, or the
    lines, buses and topics the device will use. With --verbose also what outputs are at
    while the board starts.

    What a device has no longer, it clears from the broker when it starts; check names it. forget
    clears all that the broker keeps of the device: stop it before.

    --version --verbose tells what to write into a report: build, libraries, kernel, board, chips.

    environment: SWIFTLET_MQTT   broker URL instead of the device file's, such as mqtt://192.168.1.2
    exit status: 0 stopped cleanly, 64 wrong usage, 69 a line or chip of the board is not there,
                 71 the system gave no file or thread, 74 standard output cannot be written,
                 78 configuration error (check: 1)

    """
  }

  /// Takes the words after the program's name; on failure what is wrong with them.
  static func parse(_ words: [String], program: String) -> ParseResult {
    var arguments = Arguments()
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      if word.equals("--config") || word.equals("--board") || word.equals("--boards") || word.equals("--log")
      {
        guard index < words.count, !words[index].utf8.isEmpty else { return .wrong("\(word) needs a value") }
        if let problem = arguments.set(word, to: words[index]) { return .wrong(problem) }
        index += 1
      } else if word.equals("run") && index == 1 {
        arguments.command = .run
      } else if word.equals("check") && index == 1 {
        arguments.command = .check
      } else if word.equals("forget") && index == 1 {
        arguments.command = .forget
      } else if word.equals("--version") {
        arguments.command = .version
      } else if word.equals("--verbose") {
        arguments.isVerbose = true
      } else if word.equals("--help") || word.equals("-h") || word.equals("help") {
        arguments.command = .help
      } else if case .check = arguments.command, arguments.config == nil,
        word.bytes.first != UInt8(ascii: "-")
      {
        arguments.config = word
      } else {
        return .wrong("unknown argument '\(word)'")
      }
    }
    if case .check = arguments.command, arguments.config == nil {
      return .wrong("check needs a device file: \(program) check device.yaml")
    }
    if arguments.isVerbose {
      switch arguments.command {
      case .version, .check: break
      default: return .wrong("--verbose belongs to --version and check")
      }
    }
    return .arguments(arguments)
  }

  enum ParseResult {
    case arguments(Arguments)
    case wrong(Message)
  }

  /// What is wrong with the value.
  private mutating func set(_ option: String, to value: String) -> Message? {
    if option.equals("--config") {
      config = value
    } else if option.equals("--board") {
      board = value
    } else if option.equals("--boards") {
      boards = value
    } else {
      log = LogLevel(value)
      if log == nil { return "--log needs \(listed(LogLevel.words, last: "or")), not \(value.quoted)" }
    }
    return nil
  }

  /// The words after the program's name, as the kernel holds them: the Embedded standard library has no
  /// access to them of its own.
  static func commandLine() -> [String] {
    var words: [String] = []
    withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
      let count = linux_read_file("/proc/self/cmdline", buffer.baseAddress, buffer.count)
      var word: [UInt8] = []
      for index in 0..<max(0, Int(count)) {
        if buffer[index] == 0 {
          words.append(String(decoding: word, as: UTF8.self))
          word.removeAll()
        } else {
          word.append(buffer[index])
        }
      }
    }
    return Array(words.dropFirst())
  }
}

extension LogLevel {
  fileprivate init?(_ word: String) {
    guard let index = LogLevel.words.firstIndex(where: { $0.equals(word) }) else { return nil }
    self.init(rawValue: UInt8(index))
  }
}
