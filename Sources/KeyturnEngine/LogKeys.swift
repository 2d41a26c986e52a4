/// The metadata keys that mean the same in every log line of Keyturn.
///
/// A key of this list becomes the journal's field `KEYTURN_` and the key in upper case, which people search by
/// (`journalctl KEYTURN_TOKEN=prod-webapp-api`): renaming one breaks what they have written down.
package enum LogKeys {
    /// The token's stable name, `prod-webapp-api`. In a line it stands before the sentence.
    package static let token = "token"
    /// The environment of the policy, `prod`.
    package static let environment = "environment"
    /// The rotation's id in the journal, `prod-webapp-api#7`.
    package static let rotation = "rotation"
    /// The step that brought the event about, `verify`; missing where none did.
    package static let step = "step"
    /// The generation's dated name, `prod-webapp-api-2026-11`.
    package static let generation = "generation"
    /// The stable code of a finding, or of an event as the history has it.
    package static let code = "code"
    /// Number, hash and key of the history's newest row: whoever collects the host's logs elsewhere can prove later what was there.
    package static let historyNumber = "history_number"
    package static let historyHash = "history_hash"
    package static let historyKey = "history_key"
    /// The id of this kind of message in a catalog of systemd's: 32 hexadecimal digits. Becomes the journal's `MESSAGE_ID`, and is left out of lines.
    package static let messageID = "message_id"
}
