import KeyturnCore
import Testing

@Suite struct DiagnosisTests {
    static let rows: [(found: String, cause: Diagnosis.Cause, says: String)] = [
        ("sk-0lIOabcdef\n", .whiteSpace, "white space"), (" sk-0lIOabcdef", .whiteSpace, "white space"),
        ("sk-0lIO\r\nabcdef", .whiteSpace, "newline"),
        ("sk-0lIOabc", .cutShort, "10 of 13"), ("0lIOabcdef", .cutShort, "10 of 13"), ("", .cutShort, "0 of 13"),
        ("sk-0lIOabcdef\"", .longer, "1 more"), ("sk-0lIOabcdefsk-0lIOabcdef", .longer, "13 more"),
        ("sk-Ol1Oabcdef", .confused, "look-alikes"),
        ("sk-0II0abcdef", .confused, "look-alikes"), ("sk-1lIOabcdef", .other, "another secret"), ("password", .other, "another secret"),
        ("SK-0lIOabcdef", .other, "another secret"), ("\n", .other, "another secret"), ("sk-0lIOabcde\n", .other, "another secret"),
    ]

    @Test(arguments: rows) func `a spoilt secret is told from another one`(row: (found: String, cause: Diagnosis.Cause, says: String)) {
        let diagnosis = Diagnosis(of: Secret(row.found), meant: Secret("sk-0lIOabcdef"), "g1")
        #expect(diagnosis.cause == row.cause)
        #expect(diagnosis.sentence.contains(row.says) && diagnosis.sentence.contains("g1"))
    }

    @Test(arguments: rows) func `a diagnosis does not repeat the secret`(row: (found: String, cause: Diagnosis.Cause, says: String)) {
        let sentence = Diagnosis(of: Secret(row.found), meant: Secret("sk-0lIOabcdef"), "g1").sentence
        #expect(!sentence.contains("sk-0") && !sentence.contains("abc"))
    }
}
