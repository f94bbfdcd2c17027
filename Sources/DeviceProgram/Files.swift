import CLinux
import DeviceFile

/// What configuration needs from the file system and the environment.
public final class Files: ConfigurationSurroundings {
  private let deviceDirectory: String
  private let boardDirectories: [String]

  /// No configuration of a device comes near this.
  private static let longestFile = 1 << 20

  /// `boards`: where board files are; nil: beside the device file, here or where packages put them.
  public convenience init(deviceFile: String, boards: String?) {
    self.init(
      deviceFile: deviceFile,
      boardDirectories: boards.map { [$0] } ?? [
        Files.directory(of: deviceFile) + "boards", "boards", "/usr/share/swiftlet/boards",
      ])
  }

  /// Board files are looked for in each of these, in order.
  public init(deviceFile: String, boardDirectories: [String]) {
    deviceDirectory = Files.directory(of: deviceFile)
    self.boardDirectories = boardDirectories
  }

  /// A file's bytes, or why it cannot be read.
  public static func read(_ path: String) -> Result<SourceFile, FileError> {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: longestFile) { buffer, initialized in
      count = path.withCString { linux_read_file($0, buffer.baseAddress, buffer.count) }
      initialized = max(0, count)
    }
    if count < 0 { return .failure(FileError(path: path, number: Int32(-count))) }
    return .success(SourceFile(name: path, bytes: Array(bytes)))
  }

  public func variable(_ name: String) -> String? {
    name.withCString { linux_environment($0) }.map { String(cString: $0) }
  }

  public func secretsFile() -> SourceFile? {
    if case .success(let file) = Files.read(deviceDirectory + "secrets.yaml") { return file }
    return nil
  }

  public func secretsTrouble() -> Message? {
    if case .failure(let error) = Files.read(deviceDirectory + "secrets.yaml"), !error.isAbsence {
      return error.text
    }
    return nil
  }

  public func boardNames() -> [String] {
    var names: [String] = []
    for directory in boardDirectories {
      // `boardTrouble` says why there are none.
      guard case .success(let boards) = Files.list(directory, ending: ".yaml") else { continue }
      for board in boards where !names.contains(where: { $0.equals(board) }) {
        let place = names.firstIndex { comesBefore(board, $0) } ?? names.count
        names.insert(board, at: place)
      }
    }
    return names
  }

  private func comesBefore(_ name: String, _ other: String) -> Bool {
    name.withCString { name in other.withCString { strcmp(name, $0) } } < 0
  }

  public func boardPlaces() -> [String] { boardDirectories }

  public func boardFile(_ name: String) -> SourceFile? {
    for directory in boardDirectories {
      if case .success(let file) = Files.read(Files.path(directory, name)) { return file }
    }
    return nil
  }

  @inline(never)
  private static func path(_ directory: String, _ name: String) -> String {
    ("\(directory)/\(name).yaml" as Message).text
  }

  public func headerFile(_ name: String) -> SourceFile? { boardFile("headers/" + name) }

  public func boardTrouble(_ name: String) -> Message? {
    for directory in boardDirectories {
      if case .failure(let error) = Files.read(Files.path(directory, name)), !error.isAbsence {
        return error.text
      }
      if case .failure(let error) = Files.list(directory, ending: ".yaml"), !error.isAbsence {
        return "\(directory) cannot be listed: \(String(cString: linux_message(error.number)))"
      }
    }
    return nil
  }

  /// The names in a directory that end so, without that ending; or why it cannot be listed.
  private static func list(_ directory: String, ending: StaticString) -> Result<[String], FileError> {
    let found = NameList(ending: ending)
    let result = directory.withCString { directory in
      linux_list(
        directory,
        { name, context in
          if let name, let context {
            Unmanaged<NameList>.fromOpaque(context).takeUnretainedValue().add(String(cString: name))
          }
          return 0
        }, Unmanaged.passUnretained(found).toOpaque())
    }
    return result < 0 ? .failure(FileError(path: directory, number: -result)) : .success(found.names)
  }

  /// With a slash at its end; empty: here.
  public static func directory(of path: String) -> String {
    var bytes = path.bytes
    while let last = bytes.last, last != UInt8(ascii: "/") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A file that cannot be read.
public struct FileError: Error {
  var path: String
  var number: Int32

  /// There is nothing of that name: no fault where several places are looked at.
  var isAbsence: Bool { number == ENOENT || number == ENOTDIR }

  public var text: Message {
    if number == ENOENT { return "\(path) does not exist: say run --config FILE or check FILE" }
    if number == EFBIG { return "\(path) is too long: a device file has at most 256 KiB" }
    return "\(path) cannot be read: \(String(cString: linux_message(number)))"
  }
}

/// Collects what a directory listing finds.
private final class NameList {
  private let ending: StaticString
  private(set) var names: [String] = []

  init(ending: StaticString) {
    self.ending = ending
  }

  func add(_ name: String) {
    let bytes = name.bytes
    let stem = bytes.count - ending.utf8CodeUnitCount
    guard stem > 0 else { return }
    for index in stem..<bytes.count where bytes[index] != ending.utf8Start[index - stem] { return }
    names.append(String(decoding: bytes[..<stem], as: UTF8.self))
  }
}
