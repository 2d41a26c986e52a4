import KeyturnCore

/// Its words for attributes in the policy's: what its pages call them beside the values that a create is sent.
enum LaozhangWords {
    private static func plain(_ word: String) -> String { word.lowercased().replacing("-", with: "_").replacing(" ", with: "_") }

    /// A word that it does not know stays as it is.
    static func billing(_ word: String) -> String {
        switch plain(word) {
        case "usage_based", "usage_based_billing", "pay_per_token": Billing.usageBased.rawValue
        case "pay_per_use", "pay_per_request": Billing.payPerUse.rawValue
        default: word
        }
    }

    /// A word that it does not know stays as it is.
    static func permission(_ word: String) -> String {
        switch plain(word) {
        case "read_only", "readonly": "read_only"
        case "full", "full_permissions", "full_access", "all", "*": "full"
        default: word
        }
    }
}
