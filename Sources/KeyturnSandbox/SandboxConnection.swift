import NIOCore

/// The connection under a request: some faults are done to it and not to an answer.
struct SandboxConnection: Sendable {
    let channel: any Channel

    /// Closes at once. What Hummingbird writes afterwards fails in its own writer and never becomes bytes.
    func close() async {
        try? await channel.close().get()
    }

    /// Closes with a TCP reset: with a linger of zero the kernel says RST in place of FIN.
    func reset() async {
        if let socket = channel as? any SocketOptionProvider {
            try? await socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: Linger(on: 1, seconds: 0)).get()
        }
        await close()
    }

    /// The kernel's `struct linger`, whose Swift import no module that can be named here offers.
    private struct Linger {
        let on: CInt
        let seconds: CInt
    }
}
