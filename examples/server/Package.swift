// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "server",
  dependencies: [
    // Of your own: .package(url: "…/swiftlet.git", branch: "main")
    .package(name: "swiftlet", path: "../..")
  ],
  targets: [
    // With async and await.
    .executableTarget(name: "listener", dependencies: [.product(name: "MQTTAsync", package: "swiftlet")]),
    // On an event loop.
    .executableTarget(
      name: "hello",
      dependencies: [
        .product(name: "MQTTClient", package: "swiftlet"),
        .product(name: "MQTTConnection", package: "swiftlet"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
