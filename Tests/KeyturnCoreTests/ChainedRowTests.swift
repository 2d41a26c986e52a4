import KeyturnCore
import Testing

/// What is hashed of a row of the history. Changing a byte of it breaks the chain of every host.
struct ChainedRowTests {
    private static func body(_ fields: [String?]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            if let field { ChainedRow.append(text: field.utf8, to: &bytes) } else { ChainedRow.appendNull(to: &bytes) }
        }
        return bytes
    }

    private static let fields = [
        "2026-11-30 12:00:00.000", "prod-webapp-api", "prod", nil, "prod-webapp-api-2026-11", "minted", "created", nil,
    ]

    private static func row(_ fields: [String?] = fields) -> ChainedRow {
        ChainedRow(number: 258, previous: ChainedRow.origin, keyID: "k1", body: body(fields))
    }

    @Test func `the bytes are those of docs slash history dot md`() {
        let length = "00000000000000"
        let wanted =
            Hex.text("keyturn-history-1\n".utf8) + "03\(length)20" + Hex.text(ChainedRow.origin) + "01\(length)02" + Hex.text("k1".utf8)
            + "02\(length)08" + "0000000000000102"
            + ChainedRowTests.fields.map { field in
                field.map { "01\(length)" + Hex.text([UInt8($0.utf8.count)]) + Hex.text($0.utf8) } ?? "00"
            }.joined()
        #expect(Hex.text(ChainedRowTests.row().content) == wanted)
    }

    @Test func `no two rows give the same bytes, wherever a border lies`() {
        let one = ["a", "b", "c", nil, nil, "d", "e", nil]
        let others: [[String?]] = [
            ["ab", "", "c", nil, nil, "d", "e", nil], ["a", "b", "c", "", nil, "d", "e", nil], ["a", "b", "c", nil, "", "d", "e", nil],
            ["a", "b", "cd", nil, nil, "", "e", nil], ["a", "b", "c", nil, nil, "d", "e", ""], ["a", "b", "c", nil, nil, "de", "", nil],
        ]
        let contents = ([one] + others).map { ChainedRowTests.row($0).content }
        #expect(Set(contents).count == contents.count)
    }

    @Test func `a column is read back by its name`() {
        let row = ChainedRowTests.row()
        #expect(row.text("at") == ChainedRowTests.fields[0])
        #expect(row.text("token") == "prod-webapp-api")
        #expect(row.text("rotation") == nil)
        #expect(row.text("sentence") == "created")
        #expect(row.text("mark") == nil)
        #expect(row.text("nothing") == nil)
    }

    @Test func `hexadecimal digits come back as they went, and nothing else does`() {
        #expect(Hex.text([0, 0x9a, 255]) == "009aff")
        #expect(Hex.bytes("009aff") == [0, 0x9a, 255])
        for text in ["0", "0x", "AB", " 1", "é1"] { #expect(Hex.bytes(text) == nil) }
    }
}
