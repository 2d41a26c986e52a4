import Foundation
import KeyturnCore

/// Environments with their tokens below, a row each.
struct UsageTable {
    private let document: UsageDocument
    private let today: Day

    init(_ document: UsageDocument, _ today: Day) {
        self.document = document
        self.today = today
    }

    /// From here on there is room for the chart of each row.
    private static let wide = 130

    func print() {
        let isWide = (Terminal.width ?? 80) >= UsageTable.wide
        var table =
            isWide
            ? Table("NAME", "TODAY", "MONTH", "BUDGET", "USED", "FORECAST", "LAST 30 DAYS")
            : Table("NAME", "TODAY", "MONTH", "BUDGET", "USED", "FORECAST")
        for environment in document.environments {
            table.add(cells(environment, indent: "", isWide), colour: colour(of: environment))
            for token in document.tokens where token.environment == environment.environment && token.currency == environment.currency {
                table.add(cells(token, indent: "  ", isWide), colour: colour(of: token))
            }
        }
        table.print()
        if document.environments.contains(where: { $0.today.atLeast || $0.month.atLeast }) {
            Terminal.print("\n>= at least: something was not read, or not lately")
        }
        guard !isWide, let first = document.environments.first else { return }
        Terminal.print("\n\(first.days.first?.day ?? "") to \(first.days.last?.day ?? "")")
        let width = document.environments.map(\.name.count).max() ?? 0
        for environment in document.environments where environment.days.contains(where: { $0.spent > 0 }) {
            let most = environment.days.map(\.spent).max() ?? 0
            Terminal.print(
                "\(environment.name.padding(width))  \(UsageChart.line(environment.days.map(\.spent)))  "
                    + "up to \(UsageTable.money(most)) \(environment.currency) a day")
        }
    }

    private func cells(_ report: UsageReport, indent: String, _ isWide: Bool) -> [String] {
        let budgets = [(report.today, "day"), (report.month, "month")].filter { $0.0.budget.value != nil }
        let limits = budgets.map { "\($0.0.budget.value ?? 0)/\($0.1)" }.joined(separator: " ")
        let used = budgets.map { "\(($0.0.usedPercent.value ?? 0).floored(to: 0))%" }.joined(separator: " ")
        let cells = [
            indent + report.name, UsageTable.spent(report.today), UsageTable.spent(report.month) + " \(report.currency)",
            limits.isEmpty ? "-" : limits, used.isEmpty ? "-" : used,
            report.forecast.value.map { "\(UsageTable.money($0.amount)) +/- \(UsageTable.money($0.error))" } ?? "-",
        ]
        return isWide ? cells + [UsageChart.line(report.days.map(\.spent))] : cells
    }

    static func spent(_ period: UsageReport.Period) -> String { (period.atLeast ? ">=" : "") + money(period.spent) }

    /// Two digits, or what is too small for them.
    static func money(_ amount: Decimal) -> String {
        let shown = amount > 0 && amount < Decimal(string: "0.01") ?? 0 ? amount.rounded(to: 6) : amount.rounded(to: 2)
        let text = "\(shown)"
        guard shown == amount.rounded(to: 2) else { return text }
        let parts = text.split(separator: ".")
        return "\(parts[0]).\((parts.count > 1 ? String(parts[1]) : "").padding(toLength: 2, withPad: "0", startingAt: 0))"
    }

    private func colour(of report: UsageReport) -> Colour? {
        let used = [report.today, report.month].compactMap(\.usedPercent.value).max() ?? 0
        return used >= 100 ? .red : used >= 80 ? .yellow : nil
    }
}

/// One token, with a chart of its days.
struct UsageDetail {
    private let reports: [UsageReport]
    private let today: Day

    init(_ reports: [UsageReport], _ today: Day) {
        self.reports = reports
        self.today = today
    }

    func print() {
        for report in reports {
            var table = Table("", "")
            table.add(["token", report.name])
            table.add(["environment", report.environment])
            for (name, period) in [("today", report.today), ("this month", report.month)] {
                let used = (period.usedPercent.value ?? 0).floored(to: 0)
                let budget = period.budget.value.map { ", \(used)% of \($0) \(report.currency)" } ?? ""
                table.add([name, "\(period.atLeast ? "at least " : "")\(UsageTable.money(period.spent)) \(report.currency)\(budget)"])
            }
            let forecast = report.forecast.value.map {
                "\(UsageTable.money($0.amount)) +/- \(UsageTable.money($0.error)) \(report.currency) by the month's end"
            }
            table.add(["forecast", forecast ?? "needs \(Forecast.least) days of readings"])
            table.add(["last read", report.readAt.value?.iso ?? "never"])
            for line in table.lines(width: Terminal.width).dropFirst() { Terminal.print(line) }
            chart(of: report)
        }
    }

    private func chart(of report: UsageReport) {
        let amounts = report.days.map(\.spent)
        let most = UsageTable.money(amounts.max() ?? 0)
        let room = (Terminal.width ?? 80) - most.count - 2
        let width = min(5, max(1, room / amounts.count))
        let bars = UsageChart.bars(amounts, height: 8, width: width)
        guard !bars.isEmpty else { return }
        Terminal.print("")
        for (row, line) in bars.enumerated() {
            let scale = row == 0 ? most : row == bars.count - 1 ? "0.00" : ""
            Terminal.print(String(repeating: " ", count: max(0, most.count - scale.count)) + scale + "  " + line)
        }
        let (first, last) = (report.days.first?.day ?? "", report.days.last?.day ?? "")
        let gap = max(1, amounts.count * width - first.count - last.count - (width > 1 ? 1 : 0))
        Terminal.print(String(repeating: " ", count: most.count + 2) + first + String(repeating: " ", count: gap) + last)
    }
}
