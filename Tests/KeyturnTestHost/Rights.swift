import Foundation
import Glibc

/// What this machine and this user can do; tests that need more are skipped.
package enum Rights {
    package static let isRoot = geteuid() == 0
    package static let mayTrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
}
