import Foundation
import KeyturnAdapters

/// A report written where a person asked for it: for its owner alone, for it tells where secrets lie.
enum ReportFile {
    /// `-` is the terminal.
    static func write(_ text: String, to path: String) throws {
        if path == "-" { return Terminal.print(text) }
        let url = URL(filePath: path)
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
        } catch {
            let isPermission = (error as? CocoaError)?.code == .fileWriteNoPermission
            throw Refusal(isPermission ? .permission : .failed, "\(path): the report cannot be written: \(error.localizedDescription)")
        }
        Terminal.print("written to \(path)")
    }
}
