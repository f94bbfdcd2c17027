import CLinux
import HAL

/// Where to connect to: a name or a numeric address, and a port.
public struct Endpoint: Sendable {
  public var host: String
  public var port: UInt16

  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Why no connection to it can be tried; nil: it can.
  public var problem: String? {
    guard host.withCString({ linux_needs_interface($0) }) != 0 else { return nil }
    return String(cString: linux_resolve_message(Int32(LINUX_NEEDS_INTERFACE)))
  }
}

/// Who waits for a lookup.
protocol ResolverOwner: AnyObject {
  func resolved()
}

/// Name lookups that never hold up the loop: the C library's resolver (so that /etc/hosts, mDNS and
/// whatever else the system knows work) on a thread of its own. Numeric addresses need no thread.
final class Resolver: Work {
  let addresses = UnsafeMutablePointer<linux_address>.allocate(capacity: Int(LINUX_ADDRESSES))
  /// How many of `addresses` are valid, or the resolver's negative error code.
  private(set) var count: Int32 = 0
  private(set) var isBusy = false
  private let loop: EventLoop
  private unowned(unsafe) let owner: any ResolverOwner
  private var endpoint = Endpoint(host: "", port: 0)
  private var thread: WorkerThread?

  init(loop: EventLoop, owner: any ResolverOwner) {
    self.loop = loop
    self.owner = owner
  }

  /// Starts a lookup; the owner is told of its end, at once where no lookup is needed.
  func resolve(_ endpoint: Endpoint) throws(SystemError) {
    if isBusy { return }
    self.endpoint = endpoint
    count = lookUp(numericOnly: true)
    if count > 0 { return owner.resolved() }
    if thread == nil { thread = try WorkerThread(loop: loop) }
    isBusy = true
    thread?.submit(self)
  }

  /// No more lookups: the thread ends, after the lookup that is under way.
  func stop() {
    thread?.stop()
    thread = nil
  }

  deinit {
    addresses.deallocate()
  }

  /// The resolver's words for a failed lookup.
  var failure: String { String(cString: linux_resolve_message(count)) }

  func perform() {
    count = lookUp(numericOnly: false)
  }

  func completed() {
    isBusy = false
    owner.resolved()
  }

  private func lookUp(numericOnly: Bool) -> Int32 {
    endpoint.host.withCString {
      linux_resolve($0, endpoint.port, numericOnly ? 1 : 0, addresses, Int32(LINUX_ADDRESSES))
    }
  }
}
