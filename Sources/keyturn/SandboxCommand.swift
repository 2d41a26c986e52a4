import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnSandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "The embedded gateway: speaks the documented API on loopback, with faults on request.",
        discussion: "FAULTS\n\(Fault.help)"
    )

    @Option(help: "Loopback port; 0 takes a free one.") var port = 8787
    @Option(help: ArgumentHelp("The admin token it accepts.", valueName: "token")) var adminToken = "sandbox-admin"
    @Option(help: "How many living tokens it holds (default: unlimited).") var capacity: Int?
    @Option(help: "Before each answer, a time span such as 50ms.") var latency = "0s"
    @Option(help: ArgumentHelp("Usage figures of a token; a NAME may end in *.", valueName: "NAME=today,month")) var usage: [String] = []
    @Option(help: ArgumentHelp("What each call costs.", valueName: "amount")) var cost = "0.0001"
    @Option(help: ArgumentHelp("A fault, see below; may be repeated.", valueName: "KIND[:operation][@probability][#count]")) var fault:
        [String] = []
    @Option(help: "Makes faults of a probability repeat.") var seed: UInt64 = 1
    @Option(help: "Answers the list in pages of this many (default: whole).") var pageSize: Int?
    @Option(help: ArgumentHelp("Keeps its tokens over a restart.", valueName: "file")) var state: String?

    func run() async throws {
        var configuration = SandboxConfiguration(adminToken: adminToken)
        configuration.port = port
        guard let price = SandboxUsage.decimal(cost[...]) else { throw ValidationError("--cost takes an amount such as 0.02") }
        configuration.price = price
        configuration.capacity = capacity
        configuration.seed = seed
        configuration.pageSize = pageSize
        configuration.stateFile = state
        do {
            configuration.latency = .milliseconds(try TimeSpan(parsing: latency).milliseconds)
            configuration.faults = try fault.map { try Fault(parsing: $0) }
            for text in usage {
                let (name, figures) = try SandboxUsage.parse(text)
                configuration.usage[name] = figures
            }
        } catch { throw ValidationError("\(error)") }
        let gateway = try SandboxGateway(configuration)
        let stop = StopFlag()
        try await withStop(stop) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await gateway.run { port in
                        Terminal.print("sandbox: http://127.0.0.1:\(port) with admin token \(adminToken); ends with Ctrl-C")
                    }
                }
                group.addTask { while !stop.isSet { try await Task.sleep(for: .milliseconds(50)) } }
                try await group.next()
                group.cancelAll()
            }
        }
    }
}
