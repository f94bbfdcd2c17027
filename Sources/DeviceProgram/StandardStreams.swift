import CLinux
import DeviceFile
import DeviceRuntime

/// Standard output and standard error, unbuffered.
enum StandardStream: Int32 {
  case output = 1
  case error = 2

  func write(_ message: Message) {
    var text = message.text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let count = linux_write(rawValue, rest.baseAddress, rest.count)
        // Nobody reads any more: there is nobody to tell, either.
        if count <= 0 { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }
}

/// Log lines on standard error, with the levels journald understands when it reads them there. A reader that
/// does not read costs lines, which are counted, never time: relays do not wait for a pager.
final class StandardErrorLog: Log {
  private let isJournal: Bool
  private var lost: Int64 = 0
  private(set) var level: LogLevel

  init(level: LogLevel) {
    self.level = level
    isJournal = linux_environment("JOURNAL_STREAM") != nil
  }

  /// SIGUSR1 is for one level more, SIGUSR2 for one less; false: it is another signal.
  func hear(_ signal: Int32) -> Bool {
    guard signal == SIGUSR1 || signal == SIGUSR2 else { return false }
    let other = signal == SIGUSR2 ? level.rawValue + 1 : max(level.rawValue, 1) - 1
    if let other = LogLevel(rawValue: other) { level = other }
    var line: FixedText = "log: "
    line.append(LogLevel.words[Int(level.rawValue)])
    write(level, line)
    return true
  }

  func write(_ level: LogLevel, _ text: FixedText) {
    if level.rawValue < self.level.rawValue { return }
    if lost > 0 { writeLost() }
    var line = start(level)
    // The line's end is part of it, however long it is.
    line.append(text.prefix(FixedText.capacity - line.count - 1))
    if !write(&line) { lost += 1 }
  }

  private func writeLost() {
    var line = start(.warning)
    line.append("log lines lost because nobody read them: ")
    line.append(decimal: lost)
    if write(&line) { lost = 0 }
  }

  private func start(_ level: LogLevel) -> FixedText {
    var line = FixedText()
    line.append(isJournal ? level.journalPrefix : level.name)
    return line
  }

  /// False: there was no room for it.
  private func write(_ line: inout FixedText) -> Bool {
    line.append("\n")
    return line.withSpan { span in
      span.withUnsafeBufferPointer {
        linux_write_now(StandardStream.error.rawValue, $0.baseAddress, $0.count) != -Int(EAGAIN)
      }
    }
  }
}

extension LogLevel {
  fileprivate var name: StaticString {
    switch self {
    case .debug: "debug: "
    case .info: ""
    case .warning: "warning: "
    case .error: "error: "
    }
  }

  /// Source: systemd, sd-daemon(3), "Log levels".
  fileprivate var journalPrefix: StaticString {
    switch self {
    case .debug: "<7>"
    case .info: "<6>"
    case .warning: "<4>"
    case .error: "<3>"
    }
  }
}
