import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "How everything stands, in numbers for Prometheus: docs/metrics.md lists them."
    )

    @OptionGroup var site: SiteOptions
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write a file for node_exporter's textfile collector, in one step and for all to read.", valueName: "file"))
    var output: String?

    func validate() throws {
        guard let output else { return }
        // What it reads ends in .prom, and the other name in between must not.
        guard output.hasSuffix(".prom") else {
            throw ValidationError("--output names a file that ends in .prom: the collector reads no other")
        }
    }

    func run() throws {
        let text = try MetricsReport(try site.look(.readable), at: HostClock.now()).text
        guard let output else { return Terminal.print(String(text.dropLast())) }
        do throws(ReadableFile.Failure) { try ReadableFile.replace(output, with: text) } catch { throw Refusal(.failed, error.description) }
    }
}
