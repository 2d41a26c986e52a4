extension String {
    /// Without what looks like a key: `sk-...`, and long unbroken runs of letters and digits mixed.
    var hidingKeys: String {
        replacing(#/\bsk-[A-Za-z0-9_\-.*]{4,}|[A-Za-z0-9]{24,}/#) { match in
            let word = match.output
            return word.hasPrefix("sk-") || (word.contains(where: \.isNumber) && word.contains(where: \.isLetter))
                ? "[hidden]" : String(word)
        }
    }
}
