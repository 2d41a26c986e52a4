// swift-tools-version: 6.3
import PackageDescription

/// One block for every target: Swift 6 mode, honest imports, no silent unsafety, no warnings.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "keyturn",
    products: [.executable(name: "keyturn", targets: ["keyturn"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(name: "KeyturnCore", dependencies: [], swiftSettings: settings),
        .target(name: "KeyturnEngine", dependencies: ["KeyturnCore", logging], swiftSettings: settings),
        .target(
            name: "KeyturnAdapters",
            dependencies: [
                "KeyturnCore", "KeyturnEngine", "CArchive", "CCurl", "CSystemd", crypto, grdb, logging, mustache, subprocess,
                systemPackage, yams,
            ],
            swiftSettings: settings
        ),
        .target(name: "KeyturnSandbox", dependencies: [hummingbird, hummingbirdCore, logging, nioCore], swiftSettings: settings),
        .executableTarget(
            name: "keyturn",
            dependencies: [
                "KeyturnCore", "KeyturnEngine", "KeyturnAdapters", "KeyturnSandbox", argumentParser, logging,
                unixSignals,
            ],
            swiftSettings: settings
        ),
        // Writes log entries of every kind, for the tests of the host's journal.
        .executableTarget(
            name: "logprobe", dependencies: ["KeyturnAdapters", "KeyturnEngine", logging], path: "Tests/logprobe", swiftSettings: settings
        ),
        // Lives through many seeds of the TestKit's simulation, outside of the tests.
        .executableTarget(
            name: "simulate", dependencies: ["KeyturnTestKit", argumentParser], path: "Tests/simulate", swiftSettings: settings
        ),
        .target(
            name: "KeyturnTestKit", dependencies: ["KeyturnCore", "KeyturnEngine", logging], path: "Tests/KeyturnTestKit",
            swiftSettings: settings
        ),
        // What tests need of the machine they run on: programs beside them, small file systems, patience.
        .target(name: "KeyturnTestHost", path: "Tests/KeyturnTestHost", swiftSettings: settings),
        .testTarget(name: "KeyturnCoreTests", dependencies: ["KeyturnCore", "KeyturnTestKit"], swiftSettings: settings),
        .testTarget(
            name: "KeyturnEngineTests", dependencies: ["KeyturnCore", "KeyturnEngine", "KeyturnTestKit", logging], swiftSettings: settings
        ),
        .testTarget(
            name: "KeyturnAdaptersTests",
            dependencies: [
                "KeyturnCore", "KeyturnEngine", "KeyturnAdapters", "KeyturnSandbox", "KeyturnTestHost", "KeyturnTestKit", "logprobe", grdb,
                logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KeyturnTests", dependencies: ["KeyturnCore", "KeyturnAdapters", "KeyturnSandbox", "KeyturnTestHost", "keyturn", grdb],
            swiftSettings: settings
        ),
    ]
)
