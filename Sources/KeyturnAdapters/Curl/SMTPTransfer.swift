import CCurl
import Foundation
import Glibc
import KeyturnCore

/// One letter in libcurl's hands, on one thread from its making to its end.
@safe final class SMTPTransfer {
    private let easy: UnsafeMutableRawPointer
    private let bytes: [UInt8]
    private let isCancelled: CancelFlag
    private var given = 0
    /// libcurl has taken the last byte of it: from here on the server may have all.
    private var isWhole = false
    /// The server's last line that says no.
    private var reply = ""
    private var recipients: UnsafeMutablePointer<curl_slist>?
    private var refusal: String?
    private let explanation = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init(_ letter: SMTPLetter, to server: SMTPServer, as login: SMTPLogin?, _ isCancelled: CancelFlag) {
        guard CurlLoop.initialized, let easy = unsafe curl_easy_init() else { fatalError("out of memory") }
        unsafe self.easy = unsafe easy
        bytes = letter.bytes
        self.isCancelled = isCancelled
        unsafe recipients = nil
        unsafe explanation.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        configure(server)
        if let login { configure(login) }
        address(letter)
        connectCallbacks()
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(recipients)
        unsafe explanation.deallocate()
    }

    func perform() -> Result<Void, SMTPFailure> {
        if let refusal { return .failure(.refused(refusal)) }
        let code = unsafe curl_easy_perform(easy)
        guard code != CURLE_OK else { return .success(()) }
        var status = 0
        unsafe keyturn_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return .failure(failure(code, status))
    }

    private func failure(_ code: CURLcode, _ status: Int) -> SMTPFailure {
        let said = unsafe String(cString: explanation)
        let text = said.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : said
        let why = status >= 400 && !reply.isEmpty ? "\(text); it said: \(reply)" : text
        if status >= 500 || SMTPTransfer.aPersons.contains(code.rawValue) { return .refused(why) }
        return isWhole && status < 400 ? .lost(why) : .notTaken(why)
    }

    /// Results that waiting does not change.
    private static let aPersons: Set<UInt32> = Set(
        [
            CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED, CURLE_USE_SSL_FAILED, CURLE_PEER_FAILED_VERIFICATION,
            CURLE_SSL_CACERT_BADFILE,
        ].map(\.rawValue))
}

// MARK: - Settings

extension SMTPTransfer {
    private func configure(_ server: SMTPServer) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, Duration.seconds(10).curlMilliseconds)
        set(CURLOPT_TIMEOUT_MS, Duration.seconds(40).curlMilliseconds)
        // Proxies of the environment are meant for the web.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_USE_SSL, Int(server.needsTLS ? CURLUSESSL_ALL.rawValue : CURLUSESSL_NONE.rawValue))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        if let caFile = server.caFile {
            set(CURLOPT_CAINFO, caFile)
            check(unsafe keyturn_setopt_string(easy, CURLOPT_CAPATH, nil))
        }
        set(CURLOPT_URL, server.url)
    }

    private func configure(_ login: SMTPLogin) {
        set(CURLOPT_USERNAME, login.user)
        var line = WipedBytes()
        switch login.password {
        case .none: return
        case .some(let password): password.withBytes { line.append($0) }
        }
        guard !line.array.contains(0) else {
            refusal = "the password has a NUL in it"
            return
        }
        unsafe line.append("\0".utf8.span.bytes)
        check(unsafe keyturn_setopt_string(easy, CURLOPT_PASSWORD, line.start.assumingMemoryBound(to: CChar.self)))
    }

    private func address(_ letter: SMTPLetter) {
        set(CURLOPT_MAIL_FROM, "<\(letter.from)>")
        for address in letter.to {
            guard let longer = unsafe curl_slist_append(recipients, "<\(address)>") else { fatalError("out of memory") }
            unsafe recipients = longer
        }
        check(unsafe keyturn_setopt_list(easy, CURLOPT_MAIL_RCPT, recipients))
        set(CURLOPT_UPLOAD, 1)
    }

    private func set(_ option: CURLoption, _ value: Int) { check(unsafe keyturn_setopt_long(easy, option, value)) }
    private func set(_ option: CURLoption, _ value: String) { check(unsafe keyturn_setopt_string(easy, option, value)) }

    private func check(_ code: CURLcode) {
        if code != CURLE_OK, refusal == nil { refusal = unsafe String(cString: curl_easy_strerror(code)) }
    }
}

// MARK: - Callbacks

extension SMTPTransfer {
    private static func at(_ context: UnsafeMutableRawPointer) -> SMTPTransfer {
        unsafe Unmanaged.fromOpaque(context).takeUnretainedValue()
    }

    private func connectCallbacks() {
        // Unretained: `perform` runs within this object's life.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_READDATA, CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_XFERINFODATA] {
            check(unsafe keyturn_setopt_pointer(easy, option, context))
        }
        check(unsafe keyturn_setopt_pointer(easy, CURLOPT_ERRORBUFFER, explanation))
        let read: curl_read_callback = { buffer, size, count, context in
            let space = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
            return unsafe SMTPTransfer.at(context!).give(to: space)
        }
        let line: curl_write_callback = { bytes, size, count, context in
            let text = unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: min(size * count, 300)), as: UTF8.self)
            unsafe SMTPTransfer.at(context!).hear(text.trimmingCharacters(in: .whitespacesAndNewlines).oneLine)
            return size * count
        }
        let ignore: curl_write_callback = { _, size, count, _ in size * count }
        let progress: curl_xferinfo_callback = { context, _, _, _, _ in unsafe SMTPTransfer.at(context!).isCancelled.isRaised ? 1 : 0 }
        // Close-on-exec: what a `then` command starts would inherit it.
        let open: curl_opensocket_callback = { _, _, address in
            let address = unsafe address!.pointee
            return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
        }
        check(unsafe keyturn_setopt_reader(easy, CURLOPT_READFUNCTION, read))
        check(unsafe keyturn_setopt_writer(easy, CURLOPT_HEADERFUNCTION, line))
        check(unsafe keyturn_setopt_writer(easy, CURLOPT_WRITEFUNCTION, ignore))
        check(unsafe keyturn_setopt_progress(easy, CURLOPT_XFERINFOFUNCTION, progress))
        check(unsafe keyturn_setopt_opener(easy, CURLOPT_OPENSOCKETFUNCTION, open))
        set(CURLOPT_NOPROGRESS, 0)
    }

    /// One line of the server's.
    private func hear(_ line: String) {
        if line.hasPrefix("4") || line.hasPrefix("5") { reply = line }
    }

    /// Zero says that there is no more.
    private func give(to space: UnsafeMutableRawBufferPointer) -> Int {
        let piece = bytes[given..<min(bytes.count, given + space.count)]
        unsafe space.copyBytes(from: piece)
        given += piece.count
        if piece.isEmpty { isWhole = true }
        return piece.count
    }
}
