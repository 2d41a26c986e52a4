import FoundationEssentials
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// The HTTP server itself. Hummingbird's `Application` is left out because it stamps every answer with the machine's clock:
/// here the `Date` header, which a client compares its own clock with, must tell the sandbox's time.
struct SandboxServer: Sendable {
    let routes: SandboxRoutes
    let port: Int
    let now: @Sendable () -> Date

    /// Silent: the server calls it an error when its clients are cut off or its task ends, and both are its daily work.
    private let logger = Logger(label: "keyturn.sandbox") { _ in SwiftLogNoOpLogHandler() }

    init(routes: SandboxRoutes, port: Int, now: @Sendable @escaping () -> Date) {
        self.routes = routes
        self.port = port
        self.now = now
    }

    /// Listens on 127.0.0.1 and serves until cancelled, which is no error.
    func run(onReady: @Sendable @escaping (Int) async -> Void) async throws {
        let channel = HTTP1Channel { request, writer, channel in
            var response = await routes.response(to: request, over: SandboxConnection(channel: channel))
            response.headers[.date] = now().httpText
            try await writer.write(response: response.head, body: response.body)
        }
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { await onReady($0.localAddress?.port ?? 0) },
            eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup,
            logger: logger
        )
        do {
            try await server.run()
        } catch {
            if !Task.isCancelled { throw error }
        }
    }
}

extension Date {
    /// RFC 9110's form: `Sun, 06 Nov 1994 08:49:37 GMT`.
    fileprivate var httpText: String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.weekday, .month], from: self)
        let text = utcText  // 1994-11-06T08:49:37Z
        let day = days[(parts.weekday ?? 1) - 1]
        let month = months[(parts.month ?? 1) - 1]
        return "\(day), \(text.dropFirst(8).prefix(2)) \(month) \(text.prefix(4)) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
