package import Foundation
package import KeyturnCore
import KeyturnEngine

/// What was accepted by a courier of the world, for the reader on the other side.
package struct Letter: Sendable, Equatable {
    package var courier: String
    package var message: Message
    package var at: Date
}

/// A courier as one process of ours meets it.
struct WorldCourier: Courier {
    let world: World
    let process: Int
    let name: String
    let severity: Severity

    func hand(over message: Message) async throws(CourierError) {
        let detail = "\(name) \(message.id)"
        try world.call(.hand, by: process, detail, dead: CourierError.unclear("the process is dead")) { state, fault throws(CourierError) in
            switch fault {
            case .fails(let why): throw .refused(why)
            case .unreachable, .lostBefore: throw fault == .lostBefore ? .unclear("lost on the way") : .unreachable("no connection")
            case .lostAfter:
                state.receive(message, by: name)
                throw .unclear("no answer")
            default: state.receive(message, by: name)
            }
        }
    }
}

extension WorldState {
    /// What a reader sees: told once, and of nothing that was told by another message already.
    fileprivate mutating func receive(_ message: Message, by courier: String) {
        let before = letters.filter { $0.courier == courier }
        letters.append(Letter(courier: courier, message: message, at: now))
        if let same = before.first(where: { $0.message.id == message.id }) {
            // The receiver knows it by its id, if it is the same one.
            let told = { (message: Message) in message.items.map { "\($0.notice.number) \($0.word)" }.sorted() }
            if told(same.message) != told(message) { violate("\(message.id) came twice and tells different things") }
            return
        }
        let texts = Set(before.map(\.message.id))
        for item in message.items where item.word == .opened || item.word == .over || item.word == .passed {
            let key = "\(courier) \(item.notice.number) \(item.word)"
            if !tellings.insert(key).inserted { violate("finding \(key) is told twice, by \(texts.count + 1) messages") }
        }
        for item in message.items where item.word == .over && !tellings.contains("\(courier) \(item.notice.number) opened") {
            violate("the end of \(item.notice.finding.key) is told to \(courier), and its beginning was not")
        }
    }
}
