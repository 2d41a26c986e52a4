import GRDB

/// The tables of `journal.db`. The database holds the invariants: states are checked, a token has at most one open
/// rotation, a generation's name is used once at a gateway, history is only ever added to.
enum JournalSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: first) }
        migrator.registerMigration("2") { db in try db.execute(sql: second) }
        migrator.registerMigration("3") { db in try db.execute(sql: "ALTER TABLE token ADD COLUMN basis TEXT") }
        migrator.registerMigration("4") { db in try db.execute(sql: fourth) }
        // When a target's policy was first seen without it.
        migrator.registerMigration("5") { db in try db.execute(sql: "ALTER TABLE target ADD COLUMN left_at TEXT") }
        migrator.registerMigration("6") { db in try db.execute(sql: sixth) }
        migrator.registerMigration("7") { db in try db.execute(sql: seventh + counting) }
        migrator.registerMigration("8") { db in try db.execute(sql: eighth) }
        migrator.registerMigration("9") { db in try db.execute(sql: SQLiteJournal.usageTables) }
        migrator.registerMigration("10") { db in try db.execute(sql: tenth + counting) }
        return migrator
    }

    /// Times are UTC with milliseconds; `failures`, `not_before`, `last_error`, `needs_person` are a row's trouble since it last went well.
    private static let first = """
        CREATE TABLE host (
            name TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) STRICT;

        CREATE TABLE token (
            name TEXT PRIMARY KEY NOT NULL,
            environment TEXT NOT NULL,
            gateway TEXT NOT NULL,
            serial INTEGER NOT NULL,
            current TEXT,
            ending TEXT CHECK (ending IN ('requested', 'expired')),
            ended_at TEXT,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            CHECK ((ending IS NULL) = (ended_at IS NULL))
        ) STRICT;

        CREATE TABLE generation (
            gateway TEXT NOT NULL,
            name TEXT NOT NULL,
            token TEXT NOT NULL REFERENCES token(name),
            key_id TEXT,
            state TEXT NOT NULL CHECK (state IN ('unmade', 'intended', 'abandoned', 'held', 'retiring', 'revoking', 'revoked')),
            intended_at TEXT NOT NULL,
            created_at TEXT,
            expires_at TEXT,
            fingerprint TEXT CHECK (length(fingerprint) = 12),
            signature TEXT NOT NULL,
            foreign_ids TEXT NOT NULL,
            retired_at TEXT,
            overlap_until TEXT, overlap_rest REAL, overlap_stamp REAL, overlap_boot TEXT,
            quiet_months INTEGER, quiet_milliseconds INTEGER,
            quiet_until TEXT, quiet_rest REAL, quiet_stamp REAL, quiet_boot TEXT,
            ask_at TEXT,
            read_today TEXT, read_month TEXT, read_last_used_at TEXT, read_at TEXT,
            refused_times INTEGER, refused_since TEXT,
            revoke_answered_at TEXT,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            PRIMARY KEY (gateway, name),
            CHECK (state <> 'retiring' OR retired_at IS NOT NULL)
        ) STRICT;
        CREATE INDEX generation_of_token ON generation(token) WHERE state <> 'revoked';

        CREATE TABLE rotation (
            id TEXT PRIMARY KEY NOT NULL,
            token TEXT NOT NULL REFERENCES token(name),
            cause TEXT NOT NULL CHECK (cause IN ('first', 'scheduled', 'expiring', 'requested', 'changed', 'dead', 'adopted')),
            reason TEXT,
            started_at TEXT NOT NULL,
            ended_at TEXT,
            phase TEXT NOT NULL
                CHECK (phase IN ('minting', 'verifying', 'publishing', 'applying', 'withdrawing', 'finished', 'abandoned')),
            generation TEXT,
            refused_times INTEGER, refused_since TEXT,
            restores INTEGER,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            CHECK ((phase IN ('finished', 'abandoned')) = (ended_at IS NOT NULL))
        ) STRICT;
        CREATE UNIQUE INDEX one_open_rotation ON rotation(token) WHERE ended_at IS NULL;

        CREATE TABLE target (
            token TEXT NOT NULL REFERENCES token(name),
            file TEXT NOT NULL,
            key TEXT NOT NULL,
            generation TEXT,
            delivered_at TEXT, taken_at TEXT, applied_at TEXT,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            PRIMARY KEY (token, file, key)
        ) STRICT;

        CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            token TEXT NOT NULL,
            environment TEXT NOT NULL,
            rotation TEXT,
            generation TEXT,
            code TEXT NOT NULL,
            sentence TEXT NOT NULL
        ) STRICT;
        CREATE INDEX history_of_token ON history(token, number);
        CREATE TRIGGER history_stays BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
        -- REPLACE deletes without asking the trigger above.
        CREATE TRIGGER history_grows BEFORE INSERT ON history WHEN EXISTS (SELECT 1 FROM history WHERE number = NEW.number)
            BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
        CREATE TRIGGER history_stands BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;

        CREATE TABLE request (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            verb TEXT NOT NULL CHECK (verb IN ('rotate', 'revoke', 'adopt')),
            token TEXT NOT NULL,
            reason TEXT, file TEXT, generation TEXT,
            filed_at TEXT NOT NULL,
            answered_at TEXT, refusal TEXT, rotation TEXT
        ) STRICT;
        CREATE INDEX pending_request ON request(number) WHERE answered_at IS NULL;

        CREATE TABLE finding (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            code TEXT NOT NULL,
            severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
            token TEXT, environment TEXT,
            subject TEXT NOT NULL,
            sentence TEXT NOT NULL,
            help TEXT NOT NULL,
            opened_at TEXT NOT NULL,
            closed_at TEXT
        ) STRICT;
        CREATE UNIQUE INDEX one_open_finding ON finding(key) WHERE closed_at IS NULL;
        """

    /// How well a generation's id is known, when the gateway first showed it, and since when its revocation is waited for; what becomes of a token that leaves
    /// the policies (no span: it is kept; milliseconds alone: undecided), and since when it has. What an older journal knew of ids was told by the gateway or
    /// inferred, and which is not known: taken for the lesser.
    private static let second = """
        ALTER TABLE generation ADD COLUMN identity TEXT CHECK (identity IN ('told', 'alone', 'ambiguous'));
        ALTER TABLE generation ADD COLUMN seen_at TEXT;
        ALTER TABLE generation ADD COLUMN released_at TEXT;
        UPDATE generation SET identity = 'alone' WHERE key_id IS NOT NULL;
        UPDATE generation SET seen_at = retired_at WHERE retired_at IS NOT NULL;

        CREATE TABLE new_token (
            name TEXT PRIMARY KEY NOT NULL,
            environment TEXT NOT NULL,
            gateway TEXT NOT NULL,
            serial INTEGER NOT NULL,
            current TEXT,
            ending TEXT CHECK (ending IN ('requested', 'expired', 'removed')),
            ended_at TEXT,
            removed_months INTEGER, removed_milliseconds INTEGER, left_at TEXT,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            CHECK ((ending IS NULL) = (ended_at IS NULL))
        ) STRICT;
        INSERT INTO new_token (name, environment, gateway, serial, current, ending, ended_at, failures, not_before, last_error, needs_person)
            SELECT name, environment, gateway, serial, current, ending, ended_at, failures, not_before, last_error, needs_person FROM token;
        DROP TABLE token;
        ALTER TABLE new_token RENAME TO token;
        """

    /// What a pass looks for among all that ever was: the generations that take a place of an account, and the open findings.
    private static let fourth = """
        CREATE INDEX unrevoked_generation ON generation(gateway, state, intended_at) WHERE state <> 'revoked';
        CREATE INDEX open_finding ON finding(number) WHERE closed_at IS NULL;
        """

    /// When a generation's secret was accepted first. An older journal does not say; all whose secret was held are taken to have
    /// been, for then a refusal keeps an id that was only inferred from being revoked.
    private static let sixth = """
        ALTER TABLE generation ADD COLUMN accepted_at TEXT;
        UPDATE generation SET accepted_at = coalesce(seen_at, created_at, intended_at) WHERE fingerprint IS NOT NULL;
        """
    /// The history's chain, see docs/history.md: rows of an older journal have none until the host's key is at hand. And when all of it
    /// was last verified. And what is counted over restarts.
    private static let seventh = """
        ALTER TABLE history ADD COLUMN mark TEXT;
        ALTER TABLE history ADD COLUMN key_id TEXT;
        ALTER TABLE history ADD COLUMN previous BLOB;
        ALTER TABLE history ADD COLUMN hash BLOB;
        CREATE INDEX history_mark ON history(number) WHERE mark IS NOT NULL;
        CREATE INDEX unchained_history ON history(number) WHERE hash IS NULL;
        DROP TRIGGER history_stands;
        CREATE TRIGGER history_stands BEFORE UPDATE ON history
            WHEN NOT (OLD.hash IS NULL AND NEW.hash IS NOT NULL AND NEW.number IS OLD.number AND NEW.at IS OLD.at
                AND NEW.token IS OLD.token AND NEW.environment IS OLD.environment AND NEW.rotation IS OLD.rotation
                AND NEW.generation IS OLD.generation AND NEW.code IS OLD.code AND NEW.sentence IS OLD.sentence AND NEW.mark IS OLD.mark)
            BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
        -- An older keyturn that still runs.
        CREATE TRIGGER history_is_chained BEFORE INSERT ON history WHEN NEW.hash IS NULL
            BEGIN SELECT RAISE(ABORT, 'history is chained by a newer version of keyturn: restart this one'); END;

        CREATE TABLE history_verification (
            one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
            at TEXT NOT NULL,
            number INTEGER NOT NULL,
            breaks INTEGER NOT NULL
        ) STRICT;

        -- Counted once when it happens, so that nobody has to count all that ever was.
        CREATE TABLE tally (
            what TEXT NOT NULL CHECK (what IN ('rotation', 'request')),
            part TEXT NOT NULL,
            outcome TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (what, part, outcome)
        ) STRICT;
        INSERT INTO tally (what, part, outcome, count)
            SELECT 'rotation', token.environment, rotation.phase, count(*) FROM rotation JOIN token ON token.name = rotation.token
            WHERE rotation.ended_at IS NOT NULL GROUP BY 2, 3;
        INSERT INTO tally (what, part, outcome, count)
            SELECT 'request', verb, iif(refusal IS NULL, 'done', 'refused'), count(*) FROM request
            WHERE answered_at IS NOT NULL GROUP BY 2, 3;
        """

    /// Triggers go with their tables: whoever makes these anew makes these, too.
    private static let counting = """

        CREATE TRIGGER rotation_ended AFTER UPDATE OF ended_at ON rotation WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
            INSERT INTO tally (what, part, outcome, count)
                SELECT 'rotation', environment, NEW.phase, 1 FROM token WHERE name = NEW.token
                ON CONFLICT (what, part, outcome) DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER rotation_was_over AFTER INSERT ON rotation WHEN NEW.ended_at IS NOT NULL BEGIN
            INSERT INTO tally (what, part, outcome, count)
                SELECT 'rotation', environment, NEW.phase, 1 FROM token WHERE name = NEW.token
                ON CONFLICT (what, part, outcome) DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER request_answered AFTER UPDATE OF answered_at ON request
            WHEN OLD.answered_at IS NULL AND NEW.answered_at IS NOT NULL BEGIN
            INSERT INTO tally (what, part, outcome, count) VALUES ('request', NEW.verb, iif(NEW.refusal IS NULL, 'done', 'refused'), 1)
                ON CONFLICT (what, part, outcome) DO UPDATE SET count = count + 1;
        END;
        """

    /// What is told of findings to whom. A message that has no `taken_at` is being handed over; the notices that it tells say what.
    /// Couriers that the settings do not name any more stay, with what they owe.
    private static let eighth = """
        ALTER TABLE finding ADD COLUMN telling TEXT NOT NULL DEFAULT 'while-open'
            CHECK (telling IN ('while-open', 'once', 'asked', 'kept'));
        CREATE INDEX finding_of_key ON finding(key, number);

        CREATE TABLE courier (
            name TEXT PRIMARY KEY NOT NULL,
            enlisted INTEGER NOT NULL,
            since TEXT NOT NULL,
            failing_since TEXT,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX enlisted_courier ON courier(name) WHERE enlisted = 1;

        CREATE TABLE message (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            courier TEXT NOT NULL REFERENCES courier(name),
            id TEXT NOT NULL,
            thread TEXT,
            begun_at TEXT NOT NULL,
            taken_at TEXT
        ) STRICT;
        CREATE UNIQUE INDEX one_message_under_way ON message(courier) WHERE taken_at IS NULL;
        CREATE INDEX message_of_courier ON message(courier, taken_at);

        CREATE TABLE notice (
            finding INTEGER NOT NULL REFERENCES finding(number),
            courier TEXT NOT NULL REFERENCES courier(name),
            told INTEGER NOT NULL,
            told_at TEXT,
            told_severity TEXT CHECK (told_severity IN ('info', 'warning', 'error')),
            told_before TEXT,
            message INTEGER REFERENCES message(number),
            word TEXT CHECK (word IN ('opened', 'worse', 'again', 'over', 'passed')),
            settled INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (finding, courier),
            CHECK ((message IS NULL) = (word IS NULL))
        ) STRICT;
        CREATE INDEX unsettled_notice ON notice(courier, finding) WHERE settled = 0;
        CREATE INDEX notice_of_message ON notice(message) WHERE message IS NOT NULL;
        """

    /// Leaks: the mark of a generation, the cause and the verb, which older tables do not let in, and the incidents. `first_entry` is
    /// the first number of the history that belongs to one; `cost` is JSON, its hours as the gateway's log had them.
    private static let tenth = """
        ALTER TABLE generation ADD COLUMN leaked_at TEXT;
        CREATE INDEX leaked_generation ON generation(fingerprint) WHERE leaked_at IS NOT NULL;

        CREATE TABLE new_rotation (
            id TEXT PRIMARY KEY NOT NULL,
            token TEXT NOT NULL REFERENCES token(name),
            cause TEXT NOT NULL
                CHECK (cause IN ('first', 'scheduled', 'expiring', 'requested', 'changed', 'dead', 'adopted', 'leaked')),
            reason TEXT,
            started_at TEXT NOT NULL,
            ended_at TEXT,
            phase TEXT NOT NULL
                CHECK (phase IN ('minting', 'verifying', 'publishing', 'applying', 'withdrawing', 'finished', 'abandoned')),
            generation TEXT,
            refused_times INTEGER, refused_since TEXT,
            restores INTEGER,
            failures INTEGER NOT NULL, not_before TEXT, last_error TEXT, needs_person INTEGER NOT NULL,
            CHECK ((phase IN ('finished', 'abandoned')) = (ended_at IS NOT NULL))
        ) STRICT;
        INSERT INTO new_rotation (id, token, cause, reason, started_at, ended_at, phase, generation, refused_times, refused_since,
                restores, failures, not_before, last_error, needs_person)
            SELECT id, token, cause, reason, started_at, ended_at, phase, generation, refused_times, refused_since,
                restores, failures, not_before, last_error, needs_person FROM rotation;
        DROP TABLE rotation;
        ALTER TABLE new_rotation RENAME TO rotation;
        CREATE UNIQUE INDEX one_open_rotation ON rotation(token) WHERE ended_at IS NULL;

        CREATE TABLE new_request (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            verb TEXT NOT NULL CHECK (verb IN ('rotate', 'revoke', 'adopt', 'leak')),
            token TEXT NOT NULL,
            reason TEXT, file TEXT, generation TEXT,
            mode TEXT CHECK (mode IN ('contain-first', 'replace-first')),
            filed_at TEXT NOT NULL,
            answered_at TEXT, refusal TEXT, rotation TEXT,
            CHECK ((verb = 'leak') = (mode IS NOT NULL))
        ) STRICT;
        INSERT INTO new_request (number, verb, token, reason, file, generation, filed_at, answered_at, refusal, rotation)
            SELECT number, verb, token, reason, file, generation, filed_at, answered_at, refusal, rotation FROM request;
        DROP TABLE request;
        ALTER TABLE new_request RENAME TO request;
        CREATE INDEX pending_request ON request(number) WHERE answered_at IS NULL;

        CREATE TABLE incident (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            token TEXT NOT NULL REFERENCES token(name),
            environment TEXT NOT NULL,
            gateway TEXT NOT NULL,
            mode TEXT NOT NULL CHECK (mode IN ('contain-first', 'replace-first')),
            reason TEXT,
            opened_at TEXT NOT NULL,
            closed_at TEXT,
            first_entry INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX open_incident ON incident(number) WHERE closed_at IS NULL;
        CREATE INDEX incident_of_token ON incident(token, number);

        CREATE TABLE incident_generation (
            incident INTEGER NOT NULL REFERENCES incident(number),
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            read_today TEXT, read_month TEXT, read_last_used_at TEXT, read_at TEXT,
            cost TEXT,
            PRIMARY KEY (incident, position)
        ) STRICT;
        """
}
