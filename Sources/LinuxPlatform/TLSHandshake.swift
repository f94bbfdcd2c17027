import CTLS
import HAL

/// Who waits for a handshake.
protocol TLSHandshakeOwner: AnyObject {
  /// Library and files are loaded; or why they cannot be used.
  func prepared(_ trouble: String?)
  /// Something of the settings has no effect.
  func warns(_ reason: String)
  /// How far it went: one of `CTLS_DONE` and so on.
  func handsShaken(_ outcome: Int)
}

/// What of TLS can wait for a disk, or computes for long, on a thread of its own: the library is loaded, keys and
/// certificates are read, and authorities that lie in a directory are looked up in the handshake.
final class TLSHandshake: Work {
  private let settings: TLSSettings
  private let loop: EventLoop
  private unowned(unsafe) let owner: any TLSHandshakeOwner
  private var thread: WorkerThread?
  private var context: OpaquePointer?
  /// The loop's while nothing is under way.
  private(set) var connection: OpaquePointer?
  private(set) var isBusy = false
  /// Nobody waits any more for what is under way.
  private var isAbandoned = false
  private var isPreparation = false
  private var trouble: UnsafePointer<CChar>?
  private var outcome = 0

  init(_ settings: TLSSettings, loop: EventLoop, owner: any TLSHandshakeOwner) {
    self.settings = settings
    self.loop = loop
    self.owner = owner
  }

  deinit {
    ctls_free(connection)
    ctls_context_free(context)
  }

  /// The thread ends after what is under way. The owner hears nothing more.
  func stop() {
    isAbandoned = true
    thread?.stop()
    thread = nil
  }

  /// Loads what a connection needs, if that is not done yet. A file that was wrong is looked at again.
  func prepare() {
    if isBusy { return owner.prepared("the files of TLS cannot be read: their disk does not answer") }
    if context == nil { context = settings.makeContext() }
    if context == nil { return owner.prepared("out of memory") }
    isPreparation = true
    submit()
  }

  /// Begins on a socket; false: there is no memory or no file left.
  func connect(_ file: Int32, _ host: String) -> Bool {
    guard let context, !isBusy else { return false }
    ctls_free(connection)
    connection = host.withCString { ctls_connect(context, file, $0) }
    return connection != nil
  }

  func shakeHands() {
    guard connection != nil, !isBusy else { return }
    isPreparation = false
    submit()
  }

  /// Ends the connection; while the thread has it, as soon as it gives it back.
  func drop() {
    if isBusy {
      isAbandoned = true
    } else {
      ctls_free(connection)
      connection = nil
    }
  }

  private func submit() {
    do throws(SystemError) {
      if thread == nil { thread = try WorkerThread(loop: loop) }
      isBusy = true
      thread?.submit(self)
    } catch {
      owner.prepared(error.message)
    }
  }

  func perform() {
    if isPreparation {
      trouble = context.flatMap { ctls_context_open($0) }
    } else if let connection {
      outcome = Int(ctls_handshake(connection))
    }
  }

  func completed() {
    isBusy = false
    if isAbandoned {
      isAbandoned = false
      drop()
    } else if isPreparation {
      if trouble == nil, let context, let words = ctls_warning(context) {
        owner.warns(String(cString: words))
      }
      owner.prepared(trouble.map { String(cString: $0) })
    } else {
      owner.handsShaken(outcome)
    }
  }
}

extension TLSSettings {
  /// The settings as OpenSSL takes them; nil: out of memory.
  func makeContext() -> OpaquePointer? {
    guard let context = ctls_context_create() else { return nil }
    func set(_ which: ctls_text, _ text: String?) {
      text?.withCString { ctls_set_text(context, which, $0) }
    }
    set(CTLS_CA_FILE, caFile)
    set(CTLS_CA_DIRECTORY, caDirectory)
    set(CTLS_CERTIFICATE, certificate)
    set(CTLS_KEY, key)
    set(CTLS_KEY_PASSWORD, keyPassword)
    set(CTLS_ALPN, alpn)
    if let pin, pin.count == 32 { ctls_set_pin(context, pin) }
    if isInsecure { ctls_set_insecure(context) }
    return context
  }
}
