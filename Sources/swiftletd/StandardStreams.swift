import CLinux
import DeviceRuntime

/// Standard output and standard error, unbuffered.
enum StandardStream: Int32 {
  case output = 1
  case error = 2

  func write(_ text: String) {
    var text = text
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

/// Log lines on standard error, with the levels journald understands when it reads them there.
final class StandardErrorLog: Log {
  private let isJournal: Bool

  init() {
    isJournal = linux_environment("JOURNAL_STREAM") != nil
  }

  func write(_ level: LogLevel, _ text: FixedText) {
    var line = FixedText()
    if isJournal {
      line.append(level.journalPrefix)
    } else {
      line.append(level.name)
    }
    line.append(text)
    line.append("\n")
    line.withSpan { span in
      _ = span.withUnsafeBufferPointer {
        linux_write(StandardStream.error.rawValue, $0.baseAddress, $0.count)
      }
    }
  }
}

extension LogLevel {
  fileprivate var name: StaticString {
    switch self {
    case .info: ""
    case .warning: "warning: "
    case .error: "error: "
    }
  }

  /// Source: systemd, sd-daemon(3), "Log levels".
  fileprivate var journalPrefix: StaticString {
    switch self {
    case .info: "<6>"
    case .warning: "<4>"
    case .error: "<3>"
    }
  }
}
