import CCurl
import Glibc
import KeyturnCore

/// The header lines of one request as libcurl wants them: a C list, checked as it is built and wiped when it ends.
@safe struct HeaderLines: ~Copyable, Sendable {
    // Grown before it is handed over, read-only from then on: libcurl only reads it.
    private(set) nonisolated(unsafe) var list: UnsafeMutablePointer<curl_slist>?
    private let hasAuthorization: Bool

    /// Headers that decide where a message ends or who is asked: libcurl writes them, and a second opinion is an attack.
    private static let framing: Set<String> = ["connection", "content-length", "expect", "host", "transfer-encoding", "upgrade"]

    /// Throws `notSent` if a header could be read as anything but one header.
    init(for request: HTTPRequest) throws(HTTPFailure) {
        let names = Set(request.headers.keys.map { $0.lowercased() })
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.allSatisfy(HeaderLines.isToken) else {
                throw .notSent("the header name \(name.debugDescription) is not one")
            }
            guard !HeaderLines.framing.contains(name.lowercased()) else {
                throw .notSent("the header \(name) is not the caller's to set")
            }
            guard value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
                throw .notSent("the value of the header \(name) has a control character")
            }
        }
        unsafe list = nil
        hasAuthorization = names.contains("authorization")
        // libcurl's own "Expect: 100-continue" on large bodies: on 417 it would send the request a second time.
        append("Expect:")
        // And its guess that every body is a form.
        if !names.contains("content-type") { append("Content-Type:") }
        for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) {
            // For curl "Name:" means "do not send" and "Name;" an empty value.
            append(value.utf8.allSatisfy { $0 == 9 || $0 == 32 } ? "\(name);" : "\(name): \(value)")
        }
    }

    /// Throws `notSent` unless `bearer` is visible ASCII without spaces: anything else could end the line and start another.
    mutating func authorize(bearer: borrowing Secret) throws(HTTPFailure) {
        guard !hasAuthorization else { throw .notSent("a request with a token may not bring an Authorization of its own") }
        var line = WipedBytes()
        unsafe line.append("Authorization: Bearer ".utf8.span.bytes)
        let visible = bearer.withBytes { bytes in
            line.append(bytes)
            return bytes.byteOffsets.allSatisfy { (0x21...0x7e).contains(unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self)) }
        }
        guard visible, bearer.count > 0 else { throw .notSent("the token is empty or has a character that no token has") }
        unsafe line.append("\0".utf8.span.bytes)
        unsafe append(line.start.assumingMemoryBound(to: CChar.self))
    }

    deinit {
        var line = unsafe list
        while let current = unsafe line {
            let text = unsafe current.pointee.data!
            unsafe Secret.wipe(UnsafeMutableRawBufferPointer(start: text, count: strlen(text)))
            unsafe line = current.pointee.next
        }
        unsafe curl_slist_free_all(list)
    }

    private mutating func append(_ line: String) {
        unsafe line.withCString { unsafe append($0) }
    }

    private mutating func append(_ line: UnsafePointer<CChar>) {
        guard let longer = unsafe curl_slist_append(list, line) else { fatalError("out of memory") }
        unsafe list = longer
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
