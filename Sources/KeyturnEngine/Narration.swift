package import KeyturnCore

extension Event {
    /// The word that stands for it in the history and in the host's journal.
    package var code: String {
        switch self {
        case .started: "started"
        case .left: "left-policies"
        case .returned: "returned"
        case .resumed: "resumed"
        case .urged: "urged"
        case .rebased: "rebased"
        case .intended: "intended"
        case .minted: "minted"
        case .notMade: "not-made"
        case .lost: "lost"
        case .trialAccepted: "trial-accepted"
        case .noLongerDue: "no-longer-due"
        case .trialRefused: "trial-refused"
        case .heldBack: "held"
        case .identified: "identified"
        case .confused: "confused"
        case .neverCame: "never-came"
        case .resurfaced: "resurfaced"
        case .accepted: "accepted"
        case .refusedOnce: "refused-once"
        case .refused: "refused"
        case .published: "published"
        case .took: "took"
        case .confirmed: "confirmed"
        case .targetFailed: "target-failed"
        case .oldAccepted: "old-accepted"
        case .oldRefused: "old-refused"
        case .read: "read"
        case .readFailed: "read-failed"
        case .released: "released"
        case .revokeAnswered: "revoke-answered"
        case .seenRefused: "revoked"
        case .revokeFailed: "revoke-failed"
        case .turnedUp: "turned-up"
        case .adopted: "adopted"
        case .ended: "ended"
        case .leaked: "leaked"
        case .contained: "contained"
        case .removed: "removed"
        case .leftAlone: "left-alone"
        case .drifted: "drifted"
        case .targetLeft: "target-left"
        case .targetReturned: "target-returned"
        case .targetVacated: "target-vacated"
        }
    }

    /// The generation it is about, where it is about one.
    package var generation: String? {
        switch self {
        case .intended(let name, _, _, _), .minted(let name, _, _), .notMade(let name, _, _, _), .lost(let name, _),
            .trialAccepted(let name),
            .trialRefused(let name, _), .identified(let name, _, _), .confused(let name), .neverCame(let name), .resurfaced(let name),
            .accepted(let name),
            .refusedOnce(let name, _), .refused(let name, _),
            .published(_, let name), .took(_, let name), .confirmed(_, let name), .oldAccepted(let name), .oldRefused(let name),
            .read(let name, _),
            .readFailed(let name, _, _), .released(let name), .revokeAnswered(let name), .seenRefused(let name),
            .revokeFailed(let name, _, _, _),
            .turnedUp(let name, _, _), .adopted(let name, _, _, _, _, _, _, _), .contained(let name, _):
            name
        case .left, .returned, .started, .resumed, .urged, .rebased, .heldBack, .targetFailed, .ended, .removed, .leftAlone, .drifted,
            .targetLeft, .targetReturned, .targetVacated, .noLongerDue, .leaked:
            nil
        }
    }

    /// One sentence for the history, the journal and whoever follows a command.
    package var sentence: String {
        switch self {
        case .started(let cause, let reason): "rotation started (\(cause.rawValue))" + (reason.map { ": \($0)" } ?? "")
        case .left: "no policy asks for it any more"
        case .returned: "a policy asks for it again"
        case .resumed: "taken up again after it was ended"
        case .urged(let reason): "asked for by hand" + (reason.map { ": \($0)" } ?? "")
        case .rebased: "its policy or its gateway's settings changed: what failed is tried again"
        case .intended(let name, _, _, _): "about to create \(name)"
        case .minted(let name, let id, _): "created \(name)" + (id.map { " (\($0))" } ?? ", its id not known yet")
        case .notMade(let name, let why, _, _): "\(name) was not created: \(why)"
        case .lost(let name, let why): "the outcome of creating \(name) is unknown: \(why); it is revoked should it turn up"
        case .trialAccepted(let name): "\(name) is accepted again"
        case .noLongerDue: "a new generation is not due any more: what kept it from being made does not matter"
        case .trialRefused(let name, let why): "\(name), which is in use, was refused: \(why)"
        case .heldBack(let why, _, _): why
        case .identified(let name, let id, let identity):
            "\(name) is \(id) at the gateway" + (identity == .told ? "" : ", the only key of its name")
        case .confused(let name): "several keys at the gateway bear the name \(name), and which one is ours is not known any more"
        case .resurfaced(let name): "\(name), which was taken for revoked, is alive at the gateway and is to be revoked"
        case .neverCame(let name): "\(name), whose create was lost, has not turned up in more than an hour: it was not made"
        case .accepted(let name): "\(name) is accepted"
        case .refusedOnce(let name, let why): "\(name) is not accepted yet: \(why)"
        case .refused(let name, let why): "\(name) is withdrawn: \(why)"
        case .published(let target, let name): "\(name) delivered to \(target)"
        case .took(let target, _): "the consumer of \(target) was told"
        case .confirmed(let target, let name): "\(name) applied at \(target)"
        case .targetFailed(let target, let why, _): target.sentence(why)
        case .oldAccepted(let name): "\(name) is still accepted and is put back"
        case .oldRefused(let name): "\(name) is not accepted either"
        case .read(let name, let reading): reading.saysNothing ? "the gateway shows no use of \(name)" : "use of \(name) was read"
        case .readFailed(let name, let why, _): "no evidence about \(name): \(why)"
        case .released(let name): "\(name) is not needed any more and is to be revoked"
        case .revokeAnswered(let name): "\(name): the gateway accepted its revocation"
        case .seenRefused(let name): "\(name) is revoked"
        case .revokeFailed(let name, let why, _, _): "\(name) is not revoked yet: \(why)"
        case .turnedUp(let name, let id, _): "\(name), whose create was lost, turned up as \(id) and is to be revoked"
        case .adopted(let name, let id, _, _, _, _, _, _): "\(name) (\(id)) is taken over"
        case .leaked(let mode, let reason):
            "leaked, by a person's word\(reason.map { " (\($0))" } ?? ""): all its generations end, "
                + (mode == .containFirst ? "at once" : "as soon as a replacement is published")
        case .contained(let name, let why): "\(name), which leaked, is to be revoked: \(why)"
        case .ended(.expired): "has expired and ends"
        case .ended(.requested): "ended by request: all its generations are to be revoked"
        case .ended(.leftPolicies): "ended because it left the policies: all its generations are to be revoked"
        case .removed(let target): "removed from \(target)"
        case .leftAlone(let target): "\(target) does not hold the expired secret, or holds more than can be told: it is left alone"
        case .drifted(let target): "\(target) does not hold what was delivered; it is delivered again"
        case .targetLeft(let target): "\(target) has left the policy"
        case .targetReturned(let target): "\(target) is a target again; it is delivered again"
        case .targetVacated(let target): "\(target), which has left the policy, holds no living secret of it any more"
        }
    }
}
