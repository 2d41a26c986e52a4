import KeyturnAdapters
import KeyturnEngine
import Logging
import Testing

struct JournalEntryTests {
    /// The entry's fields by name; an entry that names one twice fails.
    private func fields(_ event: LogEvent) -> [String: String] {
        let fields = JournalEntry.fields(of: LogRecord(event))
        let byName = Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(byName.count == fields.count)
        return byName
    }

    @Test func `the sentence, its place and who speaks are the journal's own fields`() {
        #expect(
            fields(.test(.notice, "rotated")) == [
                "MESSAGE": "rotated", "PRIORITY": "5", "SYSLOG_IDENTIFIER": "keyturn",
                "CODE_FILE": "KeyturnEngine/Rotator.swift", "CODE_LINE": "42", "CODE_FUNC": "turn()",
            ]
        )
    }

    @Test func `the token stands before the sentence once`() {
        #expect(fields(.test(.notice, "rotated", metadata: [LogKeys.token: "prod-webapp-api"]))["MESSAGE"] == "prod-webapp-api: rotated")
        let named = LogEvent.test(.notice, "prod-webapp-api is stuck", metadata: [LogKeys.token: "prod-webapp-api"])
        #expect(fields(named)["MESSAGE"] == "prod-webapp-api is stuck")
    }

    @Test(arguments: zip(Logger.Level.allCases, ["7", "7", "6", "5", "4", "3", "2"]))
    func `each level has its priority`(level: Logger.Level, priority: String) {
        #expect(fields(.test(level))["PRIORITY"] == priority)
    }

    @Test(arguments: [
        (LogKeys.token, "KEYTURN_TOKEN"),
        (LogKeys.environment, "KEYTURN_ENVIRONMENT"),
        (LogKeys.rotation, "KEYTURN_ROTATION"),
        (LogKeys.step, "KEYTURN_STEP"),
        (LogKeys.generation, "KEYTURN_GENERATION"),
        (LogKeys.code, "KEYTURN_CODE"),
    ])
    func `the keys of the house have the fields of the product page`(key: String, field: String) {
        #expect(fields(.test(metadata: [key: "value"]))[field] == "value")
    }

    @Test(arguments: [
        ("status", "KEYTURN_STATUS"),
        ("http.status-2", "KEYTURN_HTTP_STATUS_2"),
        ("camelCase", "KEYTURN_CAMELCASE"),
        ("größe", "KEYTURN_GR__E"),
        ("_SYSTEMD_UNIT", "KEYTURN__SYSTEMD_UNIT"),
        ("x=1 PRIORITY", "KEYTURN_X_1_PRIORITY"),
        ("", nil),
        (String(repeating: "k", count: 56), "KEYTURN_" + String(repeating: "K", count: 56)),
        (String(repeating: "k", count: 57), nil),
    ])
    func `any other key becomes a field that journald accepts, or none`(key: String, field: String?) {
        #expect(JournalEntry.fieldName(of: key) == field)
        if let field { #expect(field.wholeMatch(of: /[A-Z][A-Z0-9_]{0,63}/) != nil) }
    }

    @Test func `only the key itself can say which token it is`() {
        #expect(fields(.test(metadata: ["TOKEN": "forged", "token": "mine", "Token": "forged"]))["KEYTURN_TOKEN"] == "mine")
    }

    @Test(arguments: [
        ("5a1c7f0e2b9d4c51a6f0c3d2e1b4a597", "5a1c7f0e2b9d4c51a6f0c3d2e1b4a597"),
        ("5A1C7F0E2B9D4C51A6F0C3D2E1B4A597", "5a1c7f0e2b9d4c51a6f0c3d2e1b4a597"),
        ("5a1c7f0e-2b9d-4c51-a6f0-c3d2e1b4a597", nil),
        ("5a1c7f0e2b9d4c51a6f0c3d2e1b4a59", nil),
        ("5a1c7f0e2b9d4c51a6f0c3d2e1b4a59g", nil),
        ("", nil),
    ])
    func `a message id is one of the catalog's form or is left out`(id: String, expected: String?) {
        let fields = fields(.test(metadata: [LogKeys.messageID: "\(id)"]))
        #expect(fields["MESSAGE_ID"] == expected)
        #expect(fields["KEYTURN_MESSAGE_ID"] == nil)
    }
}
