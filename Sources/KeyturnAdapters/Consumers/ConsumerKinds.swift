package import KeyturnCore
package import KeyturnEngine

/// The list of ways to have a secret taken up: one conformer, one file each.
package enum ConsumerKinds {
    package static func consumer(for target: TargetPolicy) -> any Consumer {
        switch target.then {
        case nil: RunConsumer(then: nil, confirm: target.confirm)
        case .run(let command): RunConsumer(then: command, confirm: target.confirm)
        case .signal(let signal, let pidFile): SignalConsumer(signal: signal, pidFile: pidFile, confirm: target.confirm)
        case .reload(let unit): UnitConsumer(verb: "reload", unit: unit)
        case .restart(let unit): UnitConsumer(verb: "restart", unit: unit)
        }
    }
}
