/// What a row of the history says of the chain itself; kept as JSON in its column `mark`, and hashed with the row.
package struct HistoryMark: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable {
        /// Rows up to `through` were written before the history was chained, and were chained as they were found.
        case begun
        /// From this row on another key is used than `from`.
        case key
        /// A person has accepted the rows up to `through` as they were found, which `digest` holds fast.
        case accepted
    }

    package var kind: Kind
    package var through: Int64?
    /// Of the key before this row, where another one is used from here on.
    package var from: String?
    /// In hexadecimal digits: HMAC over all rows up to `through`, as they were found.
    package var digest: String?
    /// What was wrong with them, as `HistoryBreak.key` says it; not all where there was more than a list takes.
    package var broken: [String]?

    package init(kind: Kind, through: Int64? = nil, from: String? = nil, digest: String? = nil, broken: [String]? = nil) {
        self.kind = kind
        self.through = through
        self.from = from
        self.digest = digest
        self.broken = broken
    }
}
