/// By which names editors, package managers and people keep copies of a file beside it.
package enum CopyName {
    private static let ends = ["bak", "backup", "old", "orig", "save", "copy", "rpmsave", "dpkg-old"]

    /// Is `name` likely one of `file`'s copies? Both are names without a folder. Generous: what lies in it decides.
    package static func isCopy(_ name: String, of file: String) -> Bool {
        // Keyturn's own, which it takes away itself.
        guard name != file, !file.isEmpty, !name.hasPrefix(".\(file).keyturn-") else { return false }
        let text = name.drop { $0 == "." || $0 == "#" }
        let plain = file.drop { $0 == "." || $0 == "#" }
        // name~ name.bak name.20260131 name.rpmsave #name# .name.swp .name.un~ name-old name.1 name (copy)
        if text.hasPrefix(plain) {
            return text.count == plain.count || "~.#-_ (".contains(text[text.index(text.startIndex, offsetBy: plain.count)])
        }
        if text == "Copy of \(plain)" || text == "Kopie von \(plain)" { return true }
        // webapp.bak of webapp.env
        guard let dot = plain.lastIndex(of: "."), dot > plain.startIndex else { return false }
        return ends.contains { text == "\(plain[..<dot]).\($0)" }
    }
}
