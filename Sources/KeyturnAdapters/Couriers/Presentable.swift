extension String {
    /// Words of any making for people far away: one line, bounded, nothing in it that steers or reorders, no keys.
    var presentable: String {
        // Scalars, not characters: one character can be a megabyte of combining marks.
        let line = String(unicodeScalars.prefix(2000)).oneLine.hidingKeys
        return unicodeScalars.count > 2000 ? line + "…" : line
    }
}
