import Foundation

/// Amounts as bars: one line high in a table, eight beside a scale.
enum UsageChart {
    /// Does the terminal show more than ASCII?
    static let isUnicode: Bool = {
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    }()

    private static let blocks = Array("▁▂▃▄▅▆▇█")
    private static let marks = Array("_.-=+*%#")

    /// One character an amount; a space for nothing.
    static func line(_ amounts: [Decimal]) -> String {
        let most = amounts.max() ?? 0
        let steps = isUnicode ? blocks : marks
        return String(
            amounts.map { amount -> Character in
                guard amount > 0, most > 0 else { return " " }
                let height = NSDecimalNumber(decimal: amount / most).doubleValue * Double(steps.count)
                return steps[min(steps.count, max(1, Int(height.rounded(.up)))) - 1]
            })
    }

    /// Lines from the top: bars of `width` characters each, `height` lines high.
    static func bars(_ amounts: [Decimal], height: Int, width: Int) -> [String] {
        let most = amounts.max() ?? 0
        guard most > 0 else { return [] }
        let full: Character = isUnicode ? "█" : "#"
        return (0..<height).reversed().map { row in
            amounts.map { amount in
                let eighths = Int((NSDecimalNumber(decimal: amount / most).doubleValue * Double(height * 8)).rounded(.up)) - row * 8
                let mark: Character = eighths >= 8 ? full : eighths <= 0 ? " " : isUnicode ? blocks[eighths - 1] : eighths >= 4 ? "#" : "."
                return String(repeating: mark, count: max(1, width - 1)) + (width > 1 ? " " : "")
            }.joined()
        }
    }
}
