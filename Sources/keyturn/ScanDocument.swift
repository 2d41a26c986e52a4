import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// A scan's report for programs.
struct ScanDocument: Encodable {
    private var finds: [Find]
    private var unknown: [Unknown]
    private var scanned: Scanned
    private var notScanned: NotScanned

    private struct Find: Encodable {
        var token: String
        var environment: String
        var generation: String
        var fingerprint: String
        /// The journal's word: held, retiring, revoking, revoked.
        var state: String
        var alive: Bool
        /// In the keyring, or in a target that it was delivered to.
        var expected: Bool
        var place: Place
    }

    private struct Unknown: Encodable {
        var masked: String
        var length: Nullable<Int>
        var place: Place
    }

    private struct Place: Encodable {
        var file: String
        var member: Nullable<String>
        var line: Int
        var times: Int
        /// blob, commit, tag
        var object: Nullable<String>
        var objectId: Nullable<String>
        var commit: Nullable<String>
        var path: Nullable<String>

        init(_ place: ScanPlace, _ line: Int, _ times: Int) {
            file = place.file
            member = Nullable(place.member)
            (self.line, self.times) = (line, times)
            object = Nullable(place.object?.kind.rawValue)
            objectId = Nullable(place.object?.id)
            commit = Nullable(place.object?.commit)
            path = Nullable(place.object?.path)
        }
    }

    private struct Scanned: Encodable {
        var files: Int
        var members: Int
        var objects: Int
        var bytes: Int64
    }

    private struct NotScanned: Encodable {
        /// Sentences; the first of `troubleCount`.
        var troubles: [String]
        var troubleCount: Int
        var histories: [String]
        var historyCount: Int
        var links: Int
        var special: Int
        /// Finds that were only counted.
        var more: Int
    }

    init(_ report: ScanReport) {
        func finds(_ finds: [ScanFind], expected: Bool) -> [Find] {
            finds.map { find in
                Find(
                    token: find.generation.token.text, environment: find.generation.environment, generation: find.generation.name,
                    fingerprint: find.generation.fingerprint, state: find.generation.state.rawValue, alive: find.generation.isAlive,
                    expected: expected, place: Place(find.place, find.line, find.times)
                )
            }
        }
        self.finds = finds(report.finds, expected: false) + finds(report.expected, expected: true)
        unknown = report.unknown.map {
            Unknown(masked: $0.key.mask, length: Nullable($0.key.length), place: Place($0.place, $0.line, $0.times))
        }
        scanned = Scanned(files: report.files, members: report.members, objects: report.objects, bytes: report.bytes)
        notScanned = NotScanned(
            troubles: report.troubles, troubleCount: report.troubleCount, histories: report.historiesLeft,
            historyCount: report.historiesLeftCount, links: report.links, special: report.special, more: report.more)
    }
}
