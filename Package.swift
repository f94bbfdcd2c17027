// swift-tools-version: 6.2
import PackageDescription

// "Portable" targets compile as ordinary Swift and as Embedded Swift (scripts/cross): no Foundation,
// no Glibc, typed throws only. The compiler's EmbeddedRestrictions group catches part of that early.
let portable: [SwiftSetting] = [.treatWarning("EmbeddedRestrictions", as: .error)]

let package = Package(
  name: "swiftlet",
  products: [
    .executable(name: "swiftletd", targets: ["swiftletd"]),
    .executable(name: "swiftletd-simulator", targets: ["swiftletd-simulator"]),
    .executable(name: "mqtt-bench", targets: ["mqtt-bench"]),
    .executable(name: "mqtt-bench-streams", targets: ["mqtt-bench-streams"]),
    .library(name: "MQTTClient", targets: ["MQTTClient", "MQTTCodec"]),
    // The same with sockets, brokers and an event loop
    .library(name: "MQTTConnection", targets: ["MQTTConnection", "LinuxPlatform", "HAL"]),
    .library(name: "Persistence", targets: ["Persistence"]),
    .library(name: "MQTTAuthentication", targets: ["MQTTAuthentication"]),
    .library(name: "MQTTAsync", targets: ["MQTTAsync"]),
    .library(name: "HaaSMQTT", targets: ["HaaSMQTT"]),
    .executable(name: "swiftlet", targets: ["swiftlet"]),
    .library(
      name: "Swiftlet",
      targets: [
        "DeviceProgram", "DeviceRuntime", "Dialects", "Modules", "Drivers", "Expanders", "Boards",
        "DeviceFile", "HAL",
        "Units", "MQTTConnection", "MQTTClient", "SimulatedBoard", "Simulation", "LinuxPlatform",
        "LinuxBoard",
      ]),
    // What tests of a package of your own need: examples/visits
    .library(name: "SwiftletTesting", targets: ["SwiftletTesting", "DeviceBench"]),
    .executable(name: "minimal", targets: ["minimal"]),
    .executable(name: "minimal-file", targets: ["minimal-file"]),
  ],
  dependencies: [
    // Only the command line `swiftlet` uses it; a package that depends on this one may have another version.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.4.0")
  ],
  targets: [
    .target(name: "ProductVersion", swiftSettings: portable),

    // Portable: hardware side
    .target(name: "Units", swiftSettings: portable),
    .target(name: "HAL", swiftSettings: portable),
    .target(name: "Drivers", dependencies: ["HAL", "Units"], swiftSettings: portable),
    .target(name: "Simulation", dependencies: ["HAL", "Units"], swiftSettings: portable),
    .target(name: "Chips", dependencies: ["Drivers", "Simulation"], swiftSettings: portable),

    // Portable: network side
    .target(name: "CMQTT"),
    .target(name: "MQTTCodec", dependencies: ["CMQTT"], swiftSettings: portable),
    .target(name: "MQTTClient", dependencies: ["MQTTCodec"], swiftSettings: portable),

    // Portable: where both meet
    .target(name: "DeviceFile", dependencies: ["CYAML"], swiftSettings: portable),
    .target(name: "Boards", dependencies: ["DeviceFile", "HAL"], swiftSettings: portable),
    .target(
      name: "DeviceRuntime",
      dependencies: ["MQTTClient", "MQTTCodec", "HAL", "Units", "DeviceFile", "Boards"],
      swiftSettings: portable),
    .target(
      name: "Dialects",
      dependencies: ["DeviceRuntime", "DeviceFile", "HAL", "MQTTClient", "ProductVersion", "Units"],
      swiftSettings: portable),
    .target(
      name: "Expanders", dependencies: ["DeviceRuntime", "Drivers", "HAL"], swiftSettings: portable),
    .target(
      name: "Modules",
      dependencies: [
        "DeviceRuntime", "Boards", "DeviceFile", "HAL", "Drivers", "Expanders", "Units", "Chips",
        "Simulation",
      ],
      swiftSettings: portable),
    .target(
      name: "SimulatedBoard",
      dependencies: [
        "Boards", "Chips", "DeviceFile", "DeviceProgram", "DeviceRuntime", "Drivers", "HAL", "LinuxPlatform",
        "Units", "Simulation",
      ],
      swiftSettings: portable),

    // Linux
    .target(name: "CLinux"),
    .target(name: "CGPIOD", linkerSettings: [.linkedLibrary("gpiod")]),
    .target(name: "CI2C", linkerSettings: [.linkedLibrary("i2c")]),
    .target(name: "CTLS"),
    .target(name: "CWSLAY"),
    .target(name: "CYAML", linkerSettings: [.linkedLibrary("yaml")]),
    // Load their libraries themselves, when they are used
    .target(name: "CSQLite"),
    .target(name: "CCrypto"),
    .target(
      name: "MQTTAuthentication", dependencies: ["MQTTClient", "CCrypto"], swiftSettings: portable),
    .target(
      name: "Persistence", dependencies: ["MQTTClient", "HAL", "CSQLite"], swiftSettings: portable),
    .target(
      name: "LinuxPlatform", dependencies: ["HAL", "CLinux", "CTLS", "CWSLAY"], swiftSettings: portable),
    .target(
      name: "LinuxBoard", dependencies: ["LinuxPlatform", "HAL", "CLinux", "CGPIOD", "CI2C"],
      swiftSettings: portable),
    .target(
      name: "MQTTConnection", dependencies: ["MQTTClient", "MQTTCodec", "LinuxPlatform", "HAL"],
      swiftSettings: portable),

    // A device file and the program that runs it
    .target(
      name: "Configuration",
      dependencies: [
        "DeviceFile", "Boards", "DeviceRuntime", "MQTTClient", "MQTTConnection", "LinuxPlatform",
      ],
      swiftSettings: portable),
    .target(
      name: "DeviceProgram",
      dependencies: [
        "DeviceFile", "Boards", "DeviceRuntime", "Configuration", "Expanders", "HAL", "MQTTClient",
        "MQTTConnection", "MQTTCodec", "LinuxPlatform", "LinuxBoard", "MQTTAuthentication", "Persistence",
        "ProductVersion", "CLinux", "Dialects",
      ],
      swiftSettings: portable),

    // Catalogs: what each program has
    .executableTarget(
      name: "swiftletd", dependencies: ["DeviceProgram", "DeviceRuntime", "Modules", "MQTTConnection"],
      swiftSettings: portable),
    .executableTarget(
      name: "swiftletd-simulator",
      dependencies: ["DeviceProgram", "DeviceRuntime", "Modules", "MQTTConnection", "SimulatedBoard"],
      swiftSettings: portable),

    // The smallest programs: one relay, one sensor, plain TCP (scripts/size-test)
    .executableTarget(
      name: "minimal",
      dependencies: ["DeviceProgram", "DeviceRuntime", "Drivers", "LinuxPlatform", "Modules"],
      path: "examples/minimal", swiftSettings: portable),
    .executableTarget(
      name: "minimal-file", dependencies: ["DeviceProgram", "DeviceRuntime", "Drivers", "Modules"],
      path: "examples/minimal-file", exclude: ["device.yaml"], swiftSettings: portable),

    // For servers and desktops: ordinary Swift
    .target(
      name: "MQTTAsync",
      dependencies: [
        "MQTTClient", "MQTTCodec", "MQTTConnection", "MQTTAuthentication", "Persistence", "LinuxPlatform",
        "HAL", "CLinux",
      ]),
    .target(name: "HaaSMQTT", dependencies: ["MQTTAsync", "MQTTClient"]),
    .executableTarget(name: "haas-mqtt", dependencies: ["HaaSMQTT"], path: "examples/haas-mqtt"),
    .executableTarget(
      name: "swiftlet",
      dependencies: [
        "MQTTAsync", "MQTTClient", "ProductVersion",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // What make bench compares with other clients
    .target(name: "CBenchSocket"),
    .executableTarget(
      name: "mqtt-bench", dependencies: ["MQTTClient", "MQTTCodec", "CBenchSocket"], swiftSettings: portable),
    .executableTarget(
      name: "mqtt-bench-streams",
      dependencies: ["MQTTClient", "MQTTCodec", "MQTTConnection", "LinuxPlatform", "HAL", "CBenchSocket"],
      swiftSettings: portable),

    // For tests only
    .target(name: "Loopback", dependencies: ["MQTTClient", "MQTTCodec"], path: "Tests/Loopback"),
    .target(
      name: "DeviceBench",
      dependencies: ["DeviceRuntime", "Simulation", "HAL", "Units", "Loopback", "MQTTClient"],
      path: "Tests/DeviceBench"),
    .target(
      name: "SwiftletTesting",
      dependencies: [
        "DeviceBench", "DeviceProgram", "Configuration", "DeviceFile", "DeviceRuntime", "SimulatedBoard",
        "Boards", "MQTTConnection", "HAL", "Simulation",
      ],
      path: "Tests/SwiftletTesting"),
    .target(name: "TestBroker", path: "Tests/TestBroker"),
    .target(name: "FaultyDisk", path: "Tests/FaultyDisk"),
    .target(name: "TestNumbers", path: "Tests/TestNumbers"),

    .testTarget(name: "UnitsTests", dependencies: ["Units"]),
    .testTarget(name: "DriversTests", dependencies: ["Chips", "Drivers", "Simulation", "HAL", "Units"]),
    .testTarget(name: "MQTTCodecTests", dependencies: ["MQTTCodec", "TestNumbers"]),
    .testTarget(
      name: "MQTTClientTests", dependencies: ["MQTTClient", "MQTTCodec", "Loopback", "TestNumbers"]),
    .testTarget(name: "LinuxPlatformTests", dependencies: ["LinuxPlatform", "HAL", "CLinux"]),
    .testTarget(name: "LinuxBoardTests", dependencies: ["LinuxBoard", "HAL", "CGPIOD"]),
    .testTarget(name: "MQTTAuthenticationTests", dependencies: ["MQTTAuthentication", "MQTTClient"]),
    .testTarget(
      name: "PersistenceTests",
      dependencies: ["Persistence", "MQTTClient", "Loopback", "Simulation", "FaultyDisk", "TestNumbers"]),
    .testTarget(
      name: "MQTTAsyncTests", dependencies: ["MQTTAsync", "MQTTClient", "MQTTCodec", "TestBroker"]),
    .testTarget(name: "HaaSMQTTTests", dependencies: ["HaaSMQTT", "MQTTAsync", "TestBroker"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: [
        "Configuration", "DeviceFile", "Boards", "DeviceRuntime", "Modules", "Drivers", "MQTTClient",
        "MQTTConnection", "LinuxPlatform", "HAL", "TestNumbers",
      ]),
    .testTarget(
      name: "DeviceRuntimeTests",
      dependencies: [
        "DeviceRuntime", "HAL", "MQTTClient", "Simulation", "DeviceBench", "Loopback", "TestNumbers",
      ]),
    .testTarget(
      name: "ModulesTests",
      dependencies: [
        "Chips", "Modules", "Expanders", "DeviceRuntime", "Drivers", "HAL", "Units", "Simulation",
        "DeviceBench",
        "Loopback",
      ]),
    .testTarget(
      name: "DialectsTests",
      dependencies: [
        "Dialects", "DeviceProgram", "SimulatedBoard", "Configuration", "DeviceFile", "Boards",
        "DeviceRuntime",
        "Modules", "MQTTConnection", "HAL", "Simulation", "DeviceBench", "Loopback", "ProductVersion",
      ]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation", "HAL", "Units"]),
    .testTarget(
      name: "DeviceProgramTests",
      dependencies: [
        "DeviceProgram", "SimulatedBoard", "Configuration", "DeviceFile", "Boards", "DeviceRuntime",
        "Modules",
        "MQTTConnection", "HAL", "Simulation", "DeviceBench",
      ]),
    .testTarget(
      name: "GreenhouseTests",
      dependencies: [
        "SwiftletTesting", "DeviceProgram", "SimulatedBoard", "Boards", "DeviceRuntime", "Modules", "Drivers",
        "LinuxPlatform", "HAL", "Simulation", "DeviceBench", "Loopback",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
