import CLinux
import HAL

/// Who wants a connection to one of several addresses.
protocol AddressRaceOwner: AnyObject {
  /// `file` is a connected socket, which is the owner's from now on.
  func raceWon(_ file: Int32)
  /// No address took us; `error` is the most telling answer.
  func raceLost(_ error: Int32)
}

/// Connects to the first of a host's addresses that answers (RFC 8305, "happy eyeballs"): the addresses are
/// tried one after the other, the next one as soon as an attempt fails or has had no answer for 250 ms, while
/// the earlier ones go on. So a route that swallows everything, as half-configured IPv6 does, costs 250 ms.
final class AddressRace: FileObserver {
  private let loop: EventLoop
  private unowned(unsafe) let owner: any AddressRaceOwner
  private var attempts: [ConnectionAttempt] = []
  private var addresses: UnsafeMutablePointer<linux_address>?
  private var count = 0
  private var next = 0
  private var cause: Int32 = 0
  /// The address that worked is the first to be tried from then on.
  private var latestWinner: linux_address?
  private var timer: Int32 = -1
  private var timerToken: UInt32 = 0

  /// RFC 8305, section 5: the recommended Connection Attempt Delay.
  static let attemptDelay = Duration.milliseconds(250)

  init(loop: EventLoop, owner: any AddressRaceOwner) {
    self.loop = loop
    self.owner = owner
  }

  var isRunning: Bool { !attempts.isEmpty }

  /// Orders the addresses and begins; the owner may be told of the end before this returns.
  func start(_ addresses: UnsafeMutablePointer<linux_address>, count: Int) {
    stop()
    AddressRace.alternate(addresses, count: count)
    if let latestWinner { AddressRace.moveToFront(latestWinner, addresses, count: count) }
    self.addresses = addresses
    self.count = count
    next = 0
    cause = 0
    tryNext()
  }

  /// Gives up every attempt.
  func stop() {
    stopTimer()
    for attempt in attempts { attempt.close(loop) }
    attempts.removeAll()
  }

  /// Has addresses of the two families take turns, beginning with the one that the system puts first.
  static func alternate(_ addresses: UnsafeMutablePointer<linux_address>, count: Int) {
    for place in 1..<max(count, 1) {
      let before = addresses[place - 1].storage.ss_family
      var other = place
      while other < count && addresses[other].storage.ss_family == before { other += 1 }
      if other == count { return }
      move(addresses, from: other, to: place)
    }
  }

  static func moveToFront(
    _ wanted: linux_address, _ addresses: UnsafeMutablePointer<linux_address>, count: Int
  ) {
    var wanted = wanted
    for place in 0..<count where linux_same_address(&wanted, addresses + place) != 0 {
      return move(addresses, from: place, to: 0)
    }
  }

  private static func move(_ addresses: UnsafeMutablePointer<linux_address>, from: Int, to: Int) {
    let moved = addresses[from]
    var place = from
    while place > to {
      addresses[place] = addresses[place - 1]
      place -= 1
    }
    addresses[to] = moved
  }

  private func tryNext() {
    while next < count, let addresses {
      let file = linux_connect(addresses + next)
      next += 1
      if file < 0 {
        note(-file)
        continue
      }
      let attempt = ConnectionAttempt(file: file, address: next - 1, race: self)
      do throws(SystemError) {
        attempt.token = try loop.watch(file, for: .writable, observer: attempt)
      } catch {
        linux_close(file)
        note(error.number)
        continue
      }
      attempts.append(attempt)
      next < count ? startTimer() : stopTimer()
      return
    }
    stopTimer()
    if attempts.isEmpty { owner.raceLost(cause) }
  }

  /// The system puts addresses to which there is no way last: that there is none tells less than what an
  /// earlier one answered.
  private func note(_ error: Int32) {
    if cause == 0 || cause == ENETUNREACH || cause == EHOSTUNREACH { cause = error }
  }

  /// An attempt has an answer.
  fileprivate func settle(_ attempt: ConnectionAttempt) {
    let error = linux_socket_error(attempt.file)
    attempts.removeAll { $0 === attempt }
    guard error == 0 else {
      note(error)
      attempt.close(loop)
      return tryNext()
    }
    latestWinner = addresses?[attempt.address]
    loop.unwatch(attempt.file, token: attempt.token)
    stop()
    owner.raceWon(attempt.file)
  }

  /// The latest attempt has had its time.
  func fileReady(_ readiness: Readiness) {
    tryNext()
  }

  private func startTimer() {
    if timer < 0 {
      timer = linux_timer_create()
      // Without a timer the next address is tried when this one fails.
      if timer < 0 { return }
      do throws(SystemError) {
        timerToken = try loop.watch(timer, for: .readable, observer: self)
      } catch {
        linux_close(timer)
        timer = -1
        return
      }
    }
    _ = linux_timer_set(timer, (loop.now + AddressRace.attemptDelay).nanoseconds)
  }

  private func stopTimer() {
    if timer < 0 { return }
    loop.unwatch(timer, token: timerToken)
    linux_close(timer)
    timer = -1
  }
}

/// A socket that is being connected.
private final class ConnectionAttempt: FileObserver {
  let file: Int32
  /// Its place among the addresses.
  let address: Int
  var token: UInt32 = 0
  private let race: AddressRace

  init(file: Int32, address: Int, race: AddressRace) {
    self.file = file
    self.address = address
    self.race = race
  }

  func fileReady(_ readiness: Readiness) { race.settle(self) }

  func close(_ loop: EventLoop) {
    loop.unwatch(file, token: token)
    linux_close(file)
  }
}
