package import KeyturnEngine

/// `reload` and `restart` of a unit: refused before anything is created.
package struct UnitConsumer: Consumer {
    private let verb: String
    private let unit: String

    package init(verb: String, unit: String) {
        self.verb = verb
        self.unit = unit
    }

    package func preflight() throws(ConsumerError) { throw refusal }
    package func take() async throws(ConsumerError) { throw refusal }
    package func confirm() async throws(ConsumerError) { throw refusal }

    private var refusal: ConsumerError {
        ConsumerError(
            "this version of Keyturn cannot \(verb) units yet; instead of {\(verb): \(unit)} write "
                + "{run: [/usr/bin/systemctl, \(verb == "reload" ? "try-reload-or-restart" : "try-restart"), \(unit)]}")
    }
}
