package import Foundation

package enum Expiry: Sendable, Equatable {
    case never
    /// Counted from the creation of each generation.
    case after(TimeSpan)
    case on(Date)

    package func date(ofGenerationMadeAt created: Date) -> Date? {
        switch self {
        case .never: nil
        case .after(let span): span.after(created)
        case .on(let date): date
        }
    }
}
