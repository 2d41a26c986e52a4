package import FoundationEssentials

/// What a sandbox is like: its account, its manners and its faults.
package struct SandboxConfiguration: Sendable {
    /// Port on 127.0.0.1; 0 takes any free one, which `run` then tells.
    package var port = 0
    /// What `/v1/api-keys` wants as bearer.
    package var adminToken: String
    /// How many tokens may be alive at once, as the real gateway's 10 or 50; nil: unlimited.
    package var capacity: Int?
    /// Waited between the deed and its answer, so that a client who gives up early meets a deed that was done.
    package var latency: Duration = .zero
    /// Figures added to what was spent here, by the token's name; a name ending in `*` is a prefix, the longest one wins.
    package var usage: [String: SandboxUsage] = [:]
    /// Of every call, in the gateway's unit.
    package var price = Decimal(sign: .plus, exponent: -4, significand: 1)
    package var faults: [Fault] = []
    /// Drives the faults' probabilities and nothing else: secrets come from the system's generator.
    package var seed: UInt64 = 1
    package var models = ["gpt-3.5-turbo", "gpt-4", "gpt-4o", "claude-3-opus", "claude-3-sonnet"]
    /// Tokens on one page of the list, asked for with `?page=N` from 1; nil gives the whole list, as the document shows it.
    package var pageSize: Int?
    /// A JSON file (0600) that lets a restarted sandbox know its tokens. Written at every create and revoke; what calls
    /// spent since then is written when `run` ends.
    package var stateFile: String?

    package init(adminToken: String) {
        self.adminToken = adminToken
    }

    /// The configured figures for a token of this name: its own entry, else the longest prefix.
    func usage(of name: String) -> SandboxUsage {
        if let own = usage[name] { return own }
        let prefixes = usage.keys.filter { $0.hasSuffix("*") && name.hasPrefix($0.dropLast()) }
        return prefixes.max { $0.count < $1.count }.flatMap { usage[$0] } ?? SandboxUsage(today: 0, month: 0)
    }
}

/// What a token had spent already when the sandbox was made, in the gateway's unit.
package struct SandboxUsage: Equatable, Sendable {
    package var today: Decimal
    package var month: Decimal

    package init(today: Decimal, month: Decimal) {
        self.today = today
        self.month = month
    }

    /// Reads `NAME=today,month`, the argument of `--usage`.
    package static func parse(_ argument: String) throws(SandboxUsageError) -> (name: String, usage: SandboxUsage) {
        let halves = argument.split(separator: "=", maxSplits: 1)
        let figures = halves.count == 2 ? halves[1].split(separator: ",", omittingEmptySubsequences: false) : []
        guard figures.count == 2, let today = decimal(figures[0]), let month = decimal(figures[1]) else {
            throw SandboxUsageError(argument: argument)
        }
        return (String(halves[0]), SandboxUsage(today: today, month: month))
    }

    /// Strict where `Decimal(string:)` is not: that one reads `1x` as 1.
    package static func decimal(_ text: Substring) -> Decimal? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }
        guard parts.count <= 2, digits else { return nil }
        return Decimal(string: String(text))
    }
}

/// A `--usage` that cannot be read.
package struct SandboxUsageError: Error, Equatable, CustomStringConvertible {
    package let argument: String

    package var description: String {
        "\"\(argument)\" is no usage: expected NAME=TODAY,MONTH with two amounts, for example prod-webapp-api-*=1.25,30"
    }
}
