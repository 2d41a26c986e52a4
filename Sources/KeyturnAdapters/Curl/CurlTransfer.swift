import CCurl
import Foundation
import Glibc

/// What every request of a client has in common.
struct CurlSettings: Sendable {
    let caFile: String?
    let connectTimeout: Duration
    /// Hosts that are asked without a proxy, as CURLOPT_NOPROXY reads them. That option replaces the environment's list, so
    /// the list is repeated here with loopback put before it; a lone `*` means no proxy at all.
    let direct: String

    init(caFile: String?, connectTimeout: Duration) {
        self.caFile = caFile
        self.connectTimeout = connectTimeout
        let environment = ProcessInfo.processInfo.environment
        let excepted = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
        direct = excepted == "*" ? excepted : "localhost,127.0.0.0/8,::1,\(excepted)"
    }
}

/// One request in libcurl's hands and the answer as it comes in. Only the loop's thread may touch it.
@safe final class CurlTransfer {
    let order: CurlLoop.Order
    let easy: UnsafeMutableRawPointer
    /// Why libcurl did not accept the request's settings; nil if it did.
    private(set) var refusal: String?

    private let sent: WipedBytes
    private var received = WipedBytes()
    private var headers: [HTTPResponse.Header] = []
    private var headerBytes = 0
    /// The blank line after the last header came.
    private var headerIsWhole = false
    /// Which limit a callback stopped at.
    private var excess: String?
    private let explanation = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// Limit on a hostile server: all header bytes of an answer, interim answers and trailers included.
    private static let maximumHeaderBytes = 64 << 10

    init(_ order: CurlLoop.Order, _ settings: CurlSettings) {
        guard let easy = unsafe curl_easy_init() else { fatalError("out of memory") }
        self.order = order
        unsafe self.easy = unsafe easy
        var body = WipedBytes()
        if let bytes = order.call.request.body { unsafe body.append(bytes.span.bytes) }
        sent = body
        unsafe explanation.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        configure(settings)
        configure(order.call.request)
        connectCallbacks()
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe explanation.deallocate()
    }

    /// The transfer that a handle belongs to.
    static func of(_ easy: UnsafeMutableRawPointer) -> CurlTransfer {
        var pointer: UnsafeMutableRawPointer?
        unsafe keyturn_getinfo_pointer(easy, CURLINFO_PRIVATE, &pointer)
        return unsafe at(pointer!)
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> CurlTransfer {
        unsafe Unmanaged.fromOpaque(context).takeUnretainedValue()
    }
}

// MARK: - Settings

extension CurlTransfer {
    private func configure(_ settings: CurlSettings) {
        set(CURLOPT_NOSIGNAL, 1)
        // Without it the loop would wait, for all requests, until an abandoned name resolution is over.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // HTTP/2 gains nothing at a few requests a minute, and a refused stream is one more case in which libcurl sends a request
        // again, also on a fresh connection. With 1.1 the count of bytes sent means bytes given to the kernel, too.
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_USERAGENT, "keyturn")
        set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.curlMilliseconds)
        set(CURLOPT_NOPROXY, settings.direct)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        if let caFile = settings.caFile {
            set(CURLOPT_CAINFO, caFile)
            // Else the system's directory of authorities is asked as well.
            check(unsafe keyturn_setopt_string(easy, CURLOPT_CAPATH, nil))
        }
    }

    private func configure(_ request: HTTPRequest) {
        guard request.url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            refusal = "the URL has a space, a control character or one beyond ASCII"
            return
        }
        // libcurl would guess, and its guess is plain http.
        guard ["http://", "https://"].contains(where: request.url.lowercased().hasPrefix) else {
            refusal = "the URL does not begin with https:// or http://"
            return
        }
        set(CURLOPT_URL, request.url)
        set(CURLOPT_TIMEOUT_MS, request.timeout.curlMilliseconds)
        set(CURLOPT_FRESH_CONNECT, request.isolated ? 1 : 0)
        set(CURLOPT_FORBID_REUSE, request.isolated ? 1 : 0)
        // POSTFIELDS, even when empty, makes libcurl announce a length; without it a POST would be read from standard input.
        if request.body != nil || request.method == .post {
            check(unsafe keyturn_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(sent.count)))
            check(unsafe keyturn_setopt_pointer(easy, CURLOPT_POSTFIELDS, sent.start))
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        check(unsafe keyturn_setopt_list(easy, CURLOPT_HTTPHEADER, order.call.lines.list))
    }

    private func set(_ option: CURLoption, _ value: Int) {
        check(unsafe keyturn_setopt_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) {
        check(unsafe keyturn_setopt_string(easy, option, value))
    }

    private func check(_ code: CURLcode) {
        if code != CURLE_OK, refusal == nil { refusal = unsafe String(cString: curl_easy_strerror(code)) }
    }
}

extension Duration {
    /// At least 1, for 0 means "no limit" to libcurl, and at most what it accepts (24 days).
    var curlMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds >= 0 else { return 1 }
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}

// MARK: - Callbacks

extension CurlTransfer {
    private func connectCallbacks() {
        // Unretained: the loop holds this object for as long as it holds the handle.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA] {
            check(unsafe keyturn_setopt_pointer(easy, option, context))
        }
        check(unsafe keyturn_setopt_pointer(easy, CURLOPT_ERRORBUFFER, explanation))
        let body: curl_write_callback = { bytes, size, count, context in
            let piece = unsafe RawSpan(_unsafeStart: bytes!, byteCount: size * count)
            return unsafe CurlTransfer.at(context!).receive(body: piece) ? size * count : 0
        }
        let header: curl_write_callback = { bytes, size, count, context in
            let line = unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
            return unsafe CurlTransfer.at(context!).receive(header: line, size: size * count) ? size * count : 0
        }
        // libcurl 7.88 opens its sockets without close-on-exec: what a `then` command starts would inherit them.
        let open: curl_opensocket_callback = { _, _, address in
            let address = unsafe address!.pointee
            return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
        }
        check(unsafe keyturn_setopt_writer(easy, CURLOPT_WRITEFUNCTION, body))
        check(unsafe keyturn_setopt_writer(easy, CURLOPT_HEADERFUNCTION, header))
        check(unsafe keyturn_setopt_opener(easy, CURLOPT_OPENSOCKETFUNCTION, open))
    }

    /// False ends the transfer; asked for each decompressed piece (16 KiB at most), so a bomb goes off in the first too many.
    private func receive(body bytes: RawSpan) -> Bool {
        guard bytes.byteCount <= order.call.request.maximumBody - received.count else {
            excess = "the answer's body is larger than \(order.call.request.maximumBody) bytes"
            return false
        }
        received.append(bytes)
        return true
    }

    /// Once a line: status lines, interim answers (100 Continue) and trailers come this way, too.
    private func receive(header line: String, size: Int) -> Bool {
        headerBytes += size
        guard headerBytes <= CurlTransfer.maximumHeaderBytes else {
            excess = "the answer's header is larger than \(CurlTransfer.maximumHeaderBytes) bytes"
            return false
        }
        if line.hasPrefix("HTTP/") {
            headers = []
            headerIsWhole = false
        } else if line.allSatisfy(\.isNewline) {
            headerIsWhole = true
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
            headers.append(.init(name: String(line[..<colon]), value: value))
        }
        return true
    }
}

// MARK: - Answer

extension CurlTransfer {
    func answer(_ code: CURLcode) -> CurlLoop.Answer {
        guard code == CURLE_OK else { return .failure(failure(code)) }
        var status = 0
        unsafe keyturn_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
        // To libcurl 7.88 a connection that ends within the header is a success with an empty body.
        guard headerIsWhole else { return .failure(.lost("the connection ended within the answer's header")) }
        return .success(HTTPResponse(status: status, headers: headers, body: received.array))
    }

    /// What became of the request; `code` is nil when this side gives it up.
    func failure(_ code: CURLcode?) -> HTTPFailure {
        guard let code else { return hasSentNothing ? .notSent("cancelled before it was sent") : .lost("cancelled in flight") }
        let said = unsafe String(cString: explanation)
        let text = excess ?? (said.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : said)
        return CurlTransfer.beforeSending.contains(code.rawValue) && hasSentNothing ? .notSent(text) : .lost(text)
    }

    /// Results that can come before the first byte of the request. Whatever is not listed counts as lost.
    private static let beforeSending: Set<UInt32> = Set(
        [
            CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED,
            CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_PROXY,
            CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_OPERATION_TIMEDOUT,
        ].map(\.rawValue)
    )

    /// Two witnesses, both from reading libcurl 7.88. REQUEST_SIZE counts the bytes written, over all attempts; it also counts a
    /// CONNECT to a proxy, so behind one "lost" is said too often. PRETRANSFER_TIME is set once sending has been tried; it
    /// covers TLS, where records can be on the wire though the write that made them counts as not done.
    private var hasSentNothing: Bool {
        var bytes = 0
        var begun: curl_off_t = 0
        guard unsafe keyturn_getinfo_long(easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK,
            unsafe keyturn_getinfo_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &begun) == CURLE_OK
        else { return false }
        return bytes == 0 && begun == 0
    }
}
