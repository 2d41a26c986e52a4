import Foundation
import Glibc
import KeyturnAdapters

/// How `work` failed; nil if it did not.
func failure(_ work: () async throws(HTTPFailure) -> HTTPResponse) async -> HTTPFailure? {
    do throws(HTTPFailure) {
        _ = try await work()
        return nil
    } catch {
        return error
    }
}

func failure(_ client: HTTPClient, _ request: HTTPRequest) async -> HTTPFailure? {
    await failure { () async throws(HTTPFailure) in try await client.send(request) }
}

func isNotSent(_ client: HTTPClient, _ request: HTTPRequest) async -> Bool {
    await failure(client, request)?.isLost == false
}

func isLost(_ client: HTTPClient, _ request: HTTPRequest) async -> Bool {
    await failure(client, request)?.isLost == true
}

extension HTTPFailure {
    var isLost: Bool {
        switch self {
        case .lost: true
        case .notSent: false
        }
    }
}

/// What a line of shell writes to its standard output.
func shell(_ line: String) throws -> [UInt8] {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Array(bytes)
}

/// A port on loopback that refuses: bound by a socket that does not listen, and held until the process ends.
func closedPort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            precondition(unsafe bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0)
        }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// This process's sockets with that peer and without close-on-exec.
func socketsThatCommandsInherit(connectedTo port: Int) -> [Int32] {
    (0..<1024).filter { descriptor in
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let known = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(descriptor, $0, &size) == 0 }
        }
        return known && Int(UInt16(bigEndian: address.sin_port)) == port && fcntl(descriptor, F_GETFD) & FD_CLOEXEC == 0
    }
}
