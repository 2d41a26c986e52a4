package import KeyturnCore

/// Everything of the world that the engine touches, in one value: the adapters make it for the program, `World` for tests.
package struct Ports: Sendable {
    package var gateways: [GatewayName: any Gateway]
    package var journal: any Journal
    package var keyring: any Keyring
    package var delivery: @Sendable (TargetPolicy, TokenPolicy) -> any Delivery
    package var consumer: @Sendable (TargetPolicy) -> any Consumer
    /// The secret in a file of an administrator's choice, for `adopt`; nil when there is none in it.
    package var secretInFile: @Sendable (String, TokenPolicy) throws(DeliveryError) -> Secret?
    /// Does a place that no policy names any more hold this secret still? Of its format only the id is left.
    package var stillHolds: @Sendable (TargetID, borrowing Secret) throws(DeliveryError) -> Bool
    /// Who tells people of findings.
    package var couriers: [any Courier]
    package var now: @Sendable () -> Moment
    /// Does something for a few seconds at most, then cancels it: for what must not keep anybody waiting. A world in which time is virtual
    /// lets it end.
    package var briefly: @Sendable (@escaping @Sendable () async -> Void) async -> Void
    package var surroundings: any Surroundings = UnseenSurroundings()

    package init(
        gateways: [GatewayName: any Gateway], journal: any Journal, keyring: any Keyring,
        delivery: @escaping @Sendable (TargetPolicy, TokenPolicy) -> any Delivery,
        consumer: @escaping @Sendable (TargetPolicy) -> any Consumer,
        secretInFile: @escaping @Sendable (String, TokenPolicy) throws(DeliveryError) -> Secret?,
        stillHolds: @escaping @Sendable (TargetID, borrowing Secret) throws(DeliveryError) -> Bool, couriers: [any Courier] = [],
        now: @escaping @Sendable () -> Moment,
        briefly: @escaping @Sendable (@escaping @Sendable () async -> Void) async -> Void = { await $0() }
    ) {
        self.gateways = gateways
        self.journal = journal
        self.keyring = keyring
        self.delivery = delivery
        self.consumer = consumer
        self.secretInFile = secretInFile
        self.stillHolds = stillHolds
        self.couriers = couriers
        self.now = now
        self.briefly = briefly
    }
}
