import Foundation
import KeyturnCore

extension YAMLValue {
    /// A whole number in decimal digits; what YAML 1.1 reads otherwise than a person does (010, 1_000, 1:30) is refused, and so is text.
    func integer(in range: ClosedRange<Int>, or words: String = "") -> Int? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)\(words)"
        guard let plain = plainText, !isNull else {
            refuse(
                expected: scalarText == nil ? expected : "\(expected), without quotes",
                found: scalarText.map { "the text \(quoted($0))" }
            )
            return nil
        }
        guard plain.wholeMatch(of: /0|-?[1-9][0-9]*/) != nil else {
            let other: String? = if case .integer = ScalarKind(plain: plain) { ScalarKind(plain: plain).name } else { nil }
            refuse(expected: expected, found: other.map { "\(shown), \($0) in YAML 1.1" })
            return nil
        }
        guard let number = Int(plain), range.contains(number) else {
            refuse(expected: expected)
            return nil
        }
        return number
    }

    /// An amount above zero in the currency of the gateway, as an exact decimal number.
    func amount() -> Decimal? {
        guard let plain = plainText, let amount = YAMLValue.decimal(plain), amount > 0 else {
            refuse(expected: "an amount above 0 such as 10 or 2.50, without a currency")
            return nil
        }
        return amount
    }

    /// `40 USD`, above zero; in `currency` where that is known.
    func money(in currency: String?) -> Money? {
        let expected = "an amount above 0 with its currency, such as 40 \(currency ?? "USD")"
        guard let words = scalarText?.split(separator: " ", omittingEmptySubsequences: false), words.count == 2,
            let amount = YAMLValue.decimal(String(words[0])), amount > 0, YAMLValue.isCurrency(String(words[1]))
        else {
            refuse(expected: expected)
            return nil
        }
        if let currency, words[1] != currency {
            refuse(expected: "\(currency), the currency of the gateway")
            return nil
        }
        return Money(amount: amount, currency: String(words[1]))
    }

    func currency() -> String? {
        guard let text = scalarText, YAMLValue.isCurrency(text) else {
            refuse(expected: "three capital letters such as USD")
            return nil
        }
        return text
    }

    /// `80%`: above 0, at most 100 000.
    func percent() -> Decimal? {
        guard let text = scalarText, text.last == "%", let number = YAMLValue.decimal(String(text.dropLast())), number > 0,
            number <= 100_000
        else {
            refuse(expected: "a percentage above 0% and at most 100000%, such as 80%")
            return nil
        }
        return number
    }

    /// Permission bits, 0 ... 0o777. In YAML 1.1 an unquoted 0640 is the octal number that is meant, 640 a decimal one that is not.
    func mode() -> UInt16? {
        let expected = "permission bits such as \"0640\", in quotes"
        guard let text = scalarText, text.wholeMatch(of: /0?[0-7]{3}|0[0-7]{4}|[0-7]{4}/) != nil, let bits = UInt16(text, radix: 8) else {
            refuse(expected: expected)
            return nil
        }
        if let plain = plainText, plain.first != "0" {
            refuse(expected: "\"0\(text.suffix(3))\", in quotes", found: "\(shown), the decimal number \(plain) in YAML")
            return nil
        }
        guard bits <= 0o777 else {
            refuse(expected: "permission bits without setuid, setgid or sticky, at most \"0777\"")
            return nil
        }
        guard bits & 0o002 == 0 else {
            refuse(expected: "a file that not everybody may write, such as \"0640\"")
            return nil
        }
        if bits & 0o004 != 0 { warn("found \(shown), by which everybody may read the secret") }
        return bits
    }

    /// Digits with at most one point, no sign and no exponent, few enough to be exact.
    private static func decimal(_ text: String) -> Decimal? {
        guard text.wholeMatch(of: /(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?/) != nil else { return nil }
        return Decimal(string: text, locale: Locale(identifier: "en_US_POSIX"))
    }

    private static func isCurrency(_ text: String) -> Bool { text.wholeMatch(of: /[A-Z]{3}/) != nil }
}
