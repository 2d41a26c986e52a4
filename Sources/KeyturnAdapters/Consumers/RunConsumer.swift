package import KeyturnCore
package import KeyturnEngine

/// `run`: a command takes the secret up, or nothing needs to, because the consumer reads its file each time.
package struct RunConsumer: Consumer {
    private let then: Program?
    private let asked: Program?

    package init(then: Command?, confirm: Command?) {
        self.then = then.map { Program(command: $0) }
        asked = confirm.map { Program(command: $0) }
    }

    package func preflight() throws(ConsumerError) {
        _ = try then?.executable()
        _ = try asked?.executable()
    }

    package func take() async throws(ConsumerError) { try await then?.run() }

    package func confirm() async throws(ConsumerError) { try await asked?.run() }
}
