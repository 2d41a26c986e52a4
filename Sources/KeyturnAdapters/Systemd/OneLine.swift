extension String {
    /// This text on one line that is safe to show: what could end a line, steer a terminal or reorder its text is written as an escape.
    ///
    /// `\n`, `\r` and `\t` for those three, `\u{1B}` for any other control or format character (Unicode's Cc, Cf, Zl, Zp: with them
    /// the bidirectional overrides and the zero width ones). Everything else stays, the backslash too: this is for reading, not decoding.
    package var oneLine: String {
        guard unicodeScalars.contains(where: \.mustBeEscaped) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            if scalar.mustBeEscaped {
                line += scalar.escape
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

extension Unicode.Scalar {
    fileprivate var mustBeEscaped: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    fileprivate var escape: String {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(value, radix: 16, uppercase: true))}"
        }
    }
}
