import Foundation

extension Decimal {
    /// A number as JSON writes one, and nothing else: `Decimal(string:)` reads `1x` as 1 and `NaN` as a number that is none.
    init?(exactly text: String) {
        guard text.utf8.count <= 64, text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][+\-]?[0-9]{1,3})?/) != nil,
            let number = Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")), number.isFinite
        else { return nil }
        self = number
    }
}
