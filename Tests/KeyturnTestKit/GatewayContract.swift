package import Foundation
import KeyturnCore
package import KeyturnEngine

/// What a gateway's test brings for `GatewayContract`: the gateway, fresh for each promise, and a hand on the account behind it.
package protocol GatewayUnderContract: Sendable {
    var gateway: any Gateway { get }
    /// What no message may repeat.
    var adminToken: String { get }

    /// From now on the account is in that trouble.
    func bring(_ trouble: GatewayTrouble) async throws

    /// Somebody else makes a token of that name.
    func addForeign(_ name: String) async throws

    /// Consumers spend with the token that bears the name.
    func spend(_ amount: Decimal, with name: String) async throws
}

package enum GatewayTrouble: String, Sendable, CaseIterable {
    /// Nobody listens.
    case unreachable
    /// The admin token is not accepted any more; the tokens are.
    case deadAdmin
    /// As many tokens as the account may hold.
    case full
    /// Every request is refused for now, after nothing was done.
    case ill
    /// Creates are done and their answers lost.
    case lostAnswers
}

/// The promises that every conformer of `Gateway` keeps, whatever it speaks to. A suite goes over `allCases` and calls `keep(on:)`
/// with a subject of its own for each; a broken promise is thrown.
package enum GatewayContract: String, Sendable, CaseIterable {
    case createdIsListedAliveUnderItsName = "what was created is listed once under its name, alive"
    case secretIsAccepted = "the secret that create answers is accepted and sees models"
    case revokedIsRefused = "a revoked generation's secret is refused and the list shows it ended or gone"
    case revokingTwiceIsNoError = "revoking what is gone, or never was, is no error"
    case strangeSecretIsRefused = "a secret that the gateway does not know is refused, which is no error"
    case othersStay = "revoking one leaves those of the same name alive"
    case usageRises = "usage is counted exactly, by generation"
    case expiryIsShown = "a generation with an expiry is created and accepted until then"
    case unreachableCreatesNothing = "without a connection nothing is created, and nothing is learnt of any token"
    case deadAdminStopsOnlyItsOwn = "a dead admin token stops create, list and revoke, and nothing else"
    case fullAccountRefuses = "a full account refuses create with a clear no"
    case illnessSaysNothing = "an ill gateway says nothing about any token"
    case lostAnswerIsUnknown = "a create whose answer is lost is unknown, was asked once, and can be found by its name"
    case messagesTellNoSecret = "no message tells a secret, or is more than one line"

    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    package func keep(on subject: some GatewayUnderContract) async throws {
        let gateway = subject.gateway
        switch self {
        case .createdIsListedAliveUnderItsName:
            let created = try await GatewayContract.create(gateway)
            let id = created.id
            let listed = try await gateway.list().keys(named: GatewayContract.name)
            try demand(listed.count == 1 && listed[0].isAlive, "\(listed)")
            try demand(id == nil || listed[0].id == id, "created \(id?.text ?? "nothing"), listed \(listed[0].id?.text ?? "nothing")")
        case .secretIsAccepted:
            let created = try await GatewayContract.create(gateway)
            guard case .accepted(let models) = try await gateway.probe(created.secret) else { throw Broken(description: "refused") }
            try demand(!models.isEmpty, "no models")
        case .revokedIsRefused:
            let created = try await GatewayContract.create(gateway)
            try await gateway.revoke(GatewayContract.found(created.id, gateway))
            guard case .refused = try await gateway.probe(created.secret) else { throw Broken(description: "still accepted") }
            try demand(try await gateway.list().keys(named: GatewayContract.name).allSatisfy { !$0.isAlive }, "still listed as alive")
        case .revokingTwiceIsNoError:
            let created = try await GatewayContract.create(gateway)
            let id = created.id
            let found = try await GatewayContract.found(id, gateway)
            for _ in 0..<3 { try await gateway.revoke(found) }
            try await gateway.revoke(KeyID("key_of_nobody"))
        case .strangeSecretIsRefused:
            guard case .refused = try await gateway.probe(Secret("sk-nobody-has-ever-had-this-one")) else {
                throw Broken(description: "accepted")
            }
        case .othersStay:
            try await subject.addForeign(GatewayContract.name)
            let created = try await GatewayContract.create(gateway)
            let id = created.id
            let foreign = try await gateway.list().keys(named: GatewayContract.name).filter { $0.id != id }
            try demand(foreign.count == 1, "\(foreign.count) others")
            try await gateway.revoke(try GatewayContract.known(id))
            try demand(try await gateway.list().key(try GatewayContract.known(foreign[0].id))?.isAlive == true, "the other one is gone")
        case .usageRises:
            let created = try await GatewayContract.create(gateway)
            let before = try await gateway.usage(created.secret)
            // 0.1 and 0.2 make 0.3 and not a 17th digit.
            for amount in ["0.1", "0.2"] { try await subject.spend(Decimal(string: amount) ?? 0, with: GatewayContract.name) }
            let after = try await gateway.usage(created.secret)
            let (today, month) = ((after.today ?? 0) - (before.today ?? 0), (after.month ?? 0) - (before.month ?? 0))
            try demand(today == Decimal(string: "0.3") && month == today, "\(today) today, \(month) this month")
            try demand(before.shows(useIn: after), "no rise")
        case .expiryIsShown:
            let order = CreateOrder(
                name: GatewayContract.name, attributes: Attributes(), expiresAt: Date(timeIntervalSince1970: 4_102_444_800))
            let created = try await GatewayContract.create(gateway, order)
            guard case .accepted = try await gateway.probe(created.secret) else { throw Broken(description: "refused") }
        case .unreachableCreatesNothing:
            try await subject.bring(.unreachable)
            let answers = await GatewayContract.answers(of: gateway)
            for (call, error) in answers {
                guard case .unreachable = error else { throw Broken(description: "\(call): \(error.map { "\($0)" } ?? "no error")") }
            }
        case .deadAdminStopsOnlyItsOwn:
            let created = try await GatewayContract.create(gateway)
            let found = try await GatewayContract.found(created.id, gateway)
            try await subject.bring(.deadAdmin)
            for (call, error) in await GatewayContract.answers(of: gateway, revoking: found) where call != "probe" && call != "usage" {
                guard case .adminRefused = error else { throw Broken(description: "\(call): \(error.map { "\($0)" } ?? "no error")") }
            }
            guard case .accepted = try await gateway.probe(created.secret) else { throw Broken(description: "the secret is refused, too") }
            _ = try await gateway.usage(created.secret)
        case .fullAccountRefuses:
            try await subject.bring(.full)
            let before = try await gateway.list().keys.count
            guard case .notCreated(.rejected) = await gateway.create(GatewayContract.order) else {
                throw Broken(description: "no clear no")
            }
            try demand(try await gateway.list().keys.count == before, "something was created")
        case .illnessSaysNothing:
            try await subject.bring(.ill)
            for (call, error) in await GatewayContract.answers(of: gateway) where call != "create" {
                guard case .inconclusive = error else { throw Broken(description: "\(call): \(error.map { "\($0)" } ?? "no error")") }
            }
            // Whether an illness came before or after the deed cannot be told from outside.
            if case .created = await gateway.create(GatewayContract.order) { throw Broken(description: "created by an ill gateway") }
        case .lostAnswerIsUnknown:
            try await subject.bring(.lostAnswers)
            guard case .unknown = await gateway.create(GatewayContract.order) else { throw Broken(description: "not unknown") }
            let listed = try await gateway.list().keys(named: GatewayContract.name)
            try demand(listed.count == 1, "\(listed.count) tokens of its name")
        case .messagesTellNoSecret:
            let secret = Secret("sk-nobody-has-ever-had-this-one")
            var messages: [String] = []
            if case .refused(let why) = try await gateway.probe(secret) { messages.append(why) }
            for trouble in [GatewayTrouble.full, .deadAdmin, .ill, .unreachable] {
                try await subject.bring(trouble)
                messages += await GatewayContract.answers(of: gateway).compactMap { $0.error?.description }
            }
            try demand(messages.count > 8, "only \(messages.count) messages")
            for message in messages {
                try demand(!message.isEmpty && message.unicodeScalars.count < 500, "\(message.unicodeScalars.count) scalars")
                try demand(!message.contains(where: \.isNewline), "more than one line")
                for word in [subject.adminToken, "sk-nobody"] { try demand(!message.contains(word), "a message tells a secret") }
            }
        }
    }

    // MARK: Small parts

    private static let name = "prod-contract-api-2026-11"
    private static let order = CreateOrder(name: name, attributes: Attributes(), expiresAt: nil)

    private func demand(_ isTrue: Bool, _ else: @autoclosure () -> String) throws(Broken) {
        if !isTrue { throw Broken(description: "\(rawValue): \(`else`())") }
    }

    private struct Created: ~Copyable {
        let id: KeyID?
        let secret: Secret
    }

    private static func create(_ gateway: any Gateway, _ order: CreateOrder = order) async throws(Broken) -> Created {
        switch await gateway.create(order) {
        case .created(let id, let secret): return Created(id: id, secret: secret)
        case .notCreated(let error): throw Broken(description: "not created: \(error)")
        case .unknown(let why): throw Broken(description: "unknown: \(why)")
        }
    }

    private static func known(_ id: KeyID?) throws(Broken) -> KeyID {
        guard let id else { throw Broken(description: "no id") }
        return id
    }

    /// The id of the answer, or else the one in the list.
    private static func found(_ id: KeyID?, _ gateway: any Gateway) async throws -> KeyID {
        if let id { return id }
        return try known(try await gateway.list().keys(named: name).first?.id)
    }

    /// Every call once, with its error.
    private static func answers(of gateway: any Gateway, revoking id: KeyID = KeyID("key_of_nobody")) async -> [(
        call: String, error: GatewayError?
    )] {
        var answers: [(String, GatewayError?)] = []
        if case .notCreated(let error) = await gateway.create(order) {
            answers.append(("create", error))
        } else {
            answers.append(("create", nil))
        }
        do throws(GatewayError) {
            _ = try await gateway.list()
            answers.append(("list", nil))
        } catch { answers.append(("list", error)) }
        do throws(GatewayError) {
            try await gateway.revoke(id)
            answers.append(("revoke", nil))
        } catch { answers.append(("revoke", error)) }
        do throws(GatewayError) {
            _ = try await gateway.probe(Secret("sk-nobody-has-ever-had-this-one"))
            answers.append(("probe", nil))
        } catch { answers.append(("probe", error)) }
        do throws(GatewayError) {
            _ = try await gateway.usage(Secret("sk-nobody-has-ever-had-this-one"))
            answers.append(("usage", nil))
        } catch { answers.append(("usage", error)) }
        return answers
    }
}
