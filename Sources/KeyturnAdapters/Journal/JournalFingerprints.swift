import GRDB
import KeyturnCore
package import KeyturnEngine

extension SQLiteJournal {
    package func fingerprinted() throws(JournalError) -> [FingerprintedGeneration] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT generation.token, environment, generation.gateway, generation.name, fingerprint, state
                    FROM generation JOIN token ON token.name = generation.token
                    WHERE fingerprint IS NOT NULL ORDER BY generation.token, intended_at, generation.name
                    """
            ).map { row in
                try FingerprintedGeneration(
                    token: TokenName(row.value("token")), environment: row.value("environment"), gateway: GatewayName(row.value("gateway")),
                    name: row.value("name"), fingerprint: row.value("fingerprint"), state: row.word("state")
                )
            }
        }
    }
}
