package import Foundation
package import KeyturnCore
package import KeyturnEngine

/// What the journal in memory remembers of usage.
package struct UsageTables: Sendable {
    package struct Key: Hashable, Sendable {
        package var gateway: GatewayName
        package var generation: String
    }

    package struct Cell: Hashable, Sendable {
        package var day: Day
        package var generation: Key
        package var environment: String
    }

    package private(set) var meters: [Key: Meter] = [:]
    package private(set) var first: [Key: Date] = [:]
    package private(set) var spent: [Cell: Amount] = [:]
    package private(set) var readings: [(key: Key, at: Date, figures: Figures)] = []
    /// Of each generation's whole life.
    private var totals: [Key: Decimal] = [:]

    package mutating func keep(_ reading: KeptReading) {
        let key = Key(gateway: reading.meter.gateway, generation: reading.meter.generation)
        meters[key] = reading.meter
        if let figures = reading.figures {
            first[key] = first[key] ?? reading.at
            readings.append((key, reading.at, figures))
        }
        for (day, amount) in reading.spent {
            let cell = Cell(day: day, generation: key, environment: reading.environment)
            spent[cell] = (spent[cell] ?? .zero) + amount
            totals[key, default: 0] += amount.decimal
        }
    }

    /// Of one generation's whole life.
    package func total(of generation: String, at gateway: GatewayName) -> Decimal {
        totals[Key(gateway: gateway, generation: generation)] ?? 0
    }

    package var total: Decimal { spent.values.reduce(0) { $0 + $1.decimal } }
}

extension WorldJournal {
    func meters(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Meter] {
        try call(.readJournal, "meters") { tables in
            names.reduce(into: [:]) { $0[$1] = tables.usage.meters[UsageTables.Key(gateway: gateway, generation: $1)] }
        }
    }

    /// Keeps, and has the world compare what is claimed to be spent with what truly was.
    func keep(_ readings: [KeptReading]) throws(JournalError) {
        let names = readings.map(\.meter.generation).joined(separator: ", ")
        try world.call(.keepReadings, by: process, names, dead: JournalError("the process is dead")) { state, fault throws(JournalError) in
            if case .fails(let why) = fault { throw JournalError("journal: \(why)") }
            for reading in readings {
                let before = state.journal.usage.total(of: reading.meter.generation, at: reading.meter.gateway)
                state.journal.usage.keep(reading)
                state.checkSum(of: reading.meter, atLeast: before)
            }
        }
    }

    func spent(_ days: ClosedRange<Day>) throws(JournalError) -> [DaySpent] {
        try call(.readJournal, "spent") { tables in
            tables.usage.spent.filter { days.contains($0.key.day) }.compactMap { cell, amount in
                tables.usage.meters[cell.generation].map { meter in
                    DaySpent(
                        token: meter.token, environment: cell.environment, currency: meter.currency, day: cell.day, amount: amount.decimal)
                }
            }
        }
    }

    func firstReadings() throws(JournalError) -> [TokenName: Date] {
        try call(.readJournal, "first readings") { tables in
            tables.usage.first.reduce(into: [:]) { first, row in
                guard let token = tables.usage.meters[row.key]?.token else { return }
                first[token] = min(first[token] ?? row.value, row.value)
            }
        }
    }

    func lackingMeters() throws(JournalError) -> [Meter] {
        try call(.readJournal, "lacking meters") { $0.usage.meters.values.filter { $0.doubt != nil || $0.end == .unread } }
    }

    func everOpened(_ keys: Set<String>) throws(JournalError) -> Set<String> {
        try call(.readJournal, "findings") { tables in keys.filter { tables.findingChanges.contains("opened \($0)") } }
    }

    /// Memory is thinned by nobody.
    func thin(_ retention: ReadingRetention, at now: Date, limit: Int) throws(JournalError) -> Int { 0 }
}

extension WorldState {
    /// A sum never falls, whatever becomes of its generation, and nothing counts that was not spent.
    mutating func checkSum(of meter: Meter, atLeast before: Decimal) {
        let keys = accounts[meter.gateway]?.keys(named: meter.generation) ?? []
        let truth = keys.map { Decimal($0.uses.total) + $0.spent }.max() ?? 0
        let sum = journal.usage.total(of: meter.generation, at: meter.gateway)
        if sum < before { violate("what \(meter.generation) has spent fell from \(before) to \(sum)") }
        if sum > truth { violate("\(sum) is summed for \(meter.generation), which has spent \(truth)") }
    }
}
