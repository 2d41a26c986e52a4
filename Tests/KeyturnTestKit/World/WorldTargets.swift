package import Foundation
import KeyturnCore
import KeyturnEngine

/// A target and who reads it.
package struct Place: Sendable {
    /// What the file holds.
    package var content: String?
    /// What its consumer uses: what it read at its last `then`; where nothing tells it, it reads the file at every call.
    package fileprivate(set) var inUse: String?
    /// Has a token of ours lain there, so that a consumer counts on it?
    package fileprivate(set) var isIssued = false
    /// Does a policy still name it?
    package var isManaged = true
    package var isWritable = true
    /// Somebody takes away at once whatever is written there.
    package var losesContent = false
    /// Why its consumer does not take anything up; nil while it does.
    package var consumerTrouble: String?
    /// Seconds from `then` until the consumer really uses what it read; only one that is asked to confirm may be slow.
    package var slowness: TimeInterval = 0
    /// Did a person write into it since Keyturn last did, and when?
    package private(set) var editedAt: Date?
    /// Did its consumer read what a person had written?
    package private(set) var usesEdited = false
    fileprivate var readsItself = true
    fileprivate var takes: (at: Date, secret: String?)?

    package init() {}

    var isTaking: Bool { takes != nil }

    mutating func settle(at time: Date) {
        guard let taking = takes, taking.at <= time else { return }
        (inUse, takes) = (taking.secret, nil)
    }

    fileprivate mutating func published() {
        isIssued = true
        editedAt = nil
        if readsItself { isRead() }
    }

    fileprivate mutating func isRead() { (inUse, takes, usesEdited) = (content, nil, editedAt != nil) }

    /// Somebody else writes into it, or with nil removes it.
    package mutating func edit(_ text: String?, at time: Date) {
        (content, editedAt) = (text, time)
        if readsItself { isRead() }
    }

    /// Its consumer starts anew, and reads what lies there.
    package mutating func restartConsumer() { isRead() }

    /// No policy names it any more; whoever names it later issues it anew.
    package mutating func leave() { (isManaged, isIssued, inUse, takes) = (false, false, nil, nil) }
}

struct WorldDelivery: Delivery {
    let world: World
    let process: Int
    let target: TargetPolicy

    private func call<Result: Sendable>(
        _ operation: PortCall, writing: String? = nil, _ body: (inout Place) throws(DeliveryError) -> Result
    ) throws(DeliveryError) -> Result {
        try world.call(operation, by: process, target.id.description, dead: DeliveryError("the process is dead")) {
            state, fault throws(DeliveryError) in
            if case .fails(let why) = fault { throw DeliveryError("\(target.file): \(why)") }
            var place = state.places[target.id] ?? Place()
            defer { state.places[target.id] = place }
            place.readsItself = target.then == nil
            let result = try body(&place)
            if let writing, state.leaked.contains(writing) { state.violate("a secret that leaked was delivered to \(target.id)") }
            return result
        }
    }

    func preflight() throws(DeliveryError) {
        try call(.preflight) { place throws(DeliveryError) in
            if !place.isWritable { throw DeliveryError("\(target.file): permission denied") }
        }
    }

    func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let text = secret.text
        try call(.publish, writing: text) { place throws(DeliveryError) in
            if !place.isWritable { throw DeliveryError("\(target.file): permission denied") }
            place.content = text
            place.published()
            if place.losesContent { place.content = nil }
        }
    }

    func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        let text = secret.text
        return try call(.preflight) { $0.content == text }
    }

    func published() throws(DeliveryError) -> Secret? { try call(.preflight) { $0.content }.map { Secret($0) } }

    func remove() throws(DeliveryError) {
        try call(.remove) { place throws(DeliveryError) in
            if !place.isWritable { throw DeliveryError("\(target.file): permission denied") }
            (place.content, place.inUse, place.takes) = (nil, nil, nil)
        }
    }
}

struct WorldConsumer: Consumer {
    let world: World
    let process: Int
    let target: TargetPolicy

    private func call(_ operation: PortCall, _ body: (inout Place, Date) throws(ConsumerError) -> Void) throws(ConsumerError) {
        try world.call(operation, by: process, target.id.description, dead: ConsumerError("the process is dead")) {
            state, fault throws(ConsumerError) in
            if case .fails(let why) = fault { throw ConsumerError(why) }
            var place = state.places[target.id] ?? Place()
            defer { state.places[target.id] = place }
            try body(&place, state.now)
            if case .failsAfter(let why) = fault { throw ConsumerError(why) }
        }
    }

    func preflight() throws(ConsumerError) { try call(.consumerPreflight) { _, _ in } }

    func take() async throws(ConsumerError) {
        guard target.then != nil else { return }
        try call(.take) { place, now throws(ConsumerError) in
            if let why = place.consumerTrouble { throw ConsumerError(why) }
            if target.confirm != nil, place.slowness > 0 {
                place.takes = (now.addingTimeInterval(place.slowness), place.content)
            } else {
                place.isRead()
            }
        }
    }

    func confirm() async throws(ConsumerError) {
        guard target.confirm != nil else { return }
        try call(.confirm) { place, _ throws(ConsumerError) in
            if place.inUse != place.content { throw ConsumerError("it still uses the old one") }
        }
    }
}
