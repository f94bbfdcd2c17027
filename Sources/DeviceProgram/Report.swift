import Boards
import CLinux
import Configuration
import DeviceFile
import DeviceRuntime
import LinuxPlatform
import MQTTCodec

/// What somebody who looks into a fault asks first: `--version --verbose`.
public struct ReportSource {
  let write: (Catalog) -> Void
  /// What `check --verbose` says besides.
  let details: (DeviceConfiguration) -> String

  /// What the program has, and the machine. It needs no device file and no rights; what cannot be read is named with
  /// the reason. Of a device file: what its outputs are at while the board starts.
  public static var machine: ReportSource {
    ReportSource(
      write: { $0.writeReport() }, details: { BootWindow($0.device.needs.claims, on: $0.board).text })
  }
}

extension Catalog {
  fileprivate func writeReport() {
    let versions = ProtocolVersion.hasV5 ? "5.0 and 3.1.1" : "3.1.1"
    let output = StandardStream.output
    output.write("build   \(Compiler.name), \(String(cString: linux_build()))\nmqtt    \(versions)\n")
    linux_report(output.rawValue)
    for kind in modules {
      output.write("module  \(kind.name)\(kind.chips.isEmpty ? "" : ": ")\(listed(kind.chips))\n")
    }
  }
}
