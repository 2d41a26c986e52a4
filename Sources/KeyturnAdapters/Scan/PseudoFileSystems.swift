import Foundation
import Glibc

/// File systems whose files are the kernel's: endless ones, and ones that do things when they are read.
struct PseudoFileSystems {
    private static let kinds: Set<String> = [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs", "fusectl", "mqueue", "nsfs",
        "proc",
        "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs",
    ]

    private let devices: Set<UInt64>

    /// As they are mounted now: proc_pid_mountinfo(5).
    init() {
        let lines = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        devices = Set(
            lines.split(separator: "\n").compactMap { line in
                let halves = line.components(separatedBy: " - ")
                let words = halves[0].split(separator: " ")
                guard halves.count == 2, let kind = halves[1].split(separator: " ").first, PseudoFileSystems.kinds.contains(String(kind)),
                    words.count > 2
                else { return nil }
                let numbers = words[2].split(separator: ":").compactMap { UInt64($0) }
                return numbers.count == 2 ? PseudoFileSystems.device(numbers[0], numbers[1]) : nil
            })
    }

    /// makedev(3), which Swift does not see.
    private static func device(_ major: UInt64, _ minor: UInt64) -> UInt64 {
        (major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | minor & 0xff
    }

    func contain(_ status: stat) -> Bool { devices.contains(UInt64(status.st_dev)) }
}
