// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "visits",
  dependencies: [
    // Of your own: .package(url: "…/swiftlet.git", branch: "main")
    .package(name: "swiftlet", path: "../..")
  ],
  targets: [
    .target(name: "VisitCounter", dependencies: [.product(name: "Swiftlet", package: "swiftlet")]),
    // The program for the board, and the same on a board of models.
    .executableTarget(
      name: "visits", dependencies: ["VisitCounter", .product(name: "Swiftlet", package: "swiftlet")]),
    .executableTarget(
      name: "visits-simulator",
      dependencies: ["VisitCounter", .product(name: "Swiftlet", package: "swiftlet")]),
    .testTarget(
      name: "VisitsTests",
      dependencies: [
        "VisitCounter", .product(name: "Swiftlet", package: "swiftlet"),
        .product(name: "SwiftletTesting", package: "swiftlet"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
