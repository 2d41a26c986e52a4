import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// A folder of one test, gone when the test is.
final class TestFolder: Sendable {
    let path: String

    init(in parent: String = "/var/tmp") throws {
        path = "\(parent)/keyturn-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: self[name]))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self[name])
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: self[name])), as: UTF8.self)
    }
}

/// A file's inode, owner, group and mode.
struct Facts: Equatable {
    var inode: UInt
    var owner: UInt32
    var group: UInt32
    var mode: UInt32

    init(_ path: String) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        inode = (attributes[.systemFileNumber] as? NSNumber)?.uintValue ?? 0
        owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value ?? .max
        group = (attributes[.groupOwnerAccountID] as? NSNumber)?.uint32Value ?? .max
        mode = (attributes[.posixPermissions] as? NSNumber)?.uint32Value ?? .max
    }
}

func delivery(_ file: String, _ format: Format, owner: String? = nil, group: String? = nil, mode: UInt16? = nil) -> any Delivery {
    DeliveryKinds.delivery(
        for: TargetPolicy(file: file, format: format, owner: owner, group: group, mode: mode),
        in: TargetContext(token: TokenName("prod-webapp-api"), environment: "prod"))
}

extension Delivery {
    func publish(_ text: String) throws(DeliveryError) { try publish(Secret(text)) }
    func holds(_ text: String) throws(DeliveryError) -> Bool { try holds(Secret(text)) }

    func publishedText() throws(DeliveryError) -> String? {
        switch try published() {
        case let secret?: secret.withBytes { span in String(decoding: (0..<span.byteCount).map { span.byte(at: $0) }, as: UTF8.self) }
        case nil: nil
        }
    }

    /// What an error says, nil when none is thrown.
    func complaint(_ body: (Self) throws -> Void) -> String? {
        do {
            try body(self)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

extension RawSpan {
    func byte(at offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
