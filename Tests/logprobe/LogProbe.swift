import KeyturnAdapters
import KeyturnEngine
import Logging

/// What a test can only see from outside the process: the choice of the log's destination and the messages to the service manager, both
/// made from the environment, which a test must not change in its own process with its many threads.
@main
enum LogProbe {
    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "log": log()
        case "notify": notify()
        default: print("usage: logprobe log|notify")
        }
    }

    /// Logs one record of every kind to wherever stderr leads.
    private static func log() {
        let provider = Logger.MetadataProvider { [LogKeys.environment: "prod"] }
        Logs.bootstrap(level: .debug, metadataProvider: provider)
        var logger = Logger(label: "logprobe")
        logger[metadataKey: LogKeys.token] = "prod-webapp-api"
        logger.trace("never seen")
        logger.warning(
            "the new secret is refused",
            metadata: [
                LogKeys.step: "verify",
                LogKeys.rotation: "7",
                LogKeys.generation: "prod-webapp-api-2026-11",
                LogKeys.code: "secret-refused",
                LogKeys.messageID: "5a1c7f0e2b9d4c51a6f0c3d2e1b4a597",
                "http-status": "401",
            ]
        )
        logger.error("two\nlines \u{1B}[31mred", metadata: ["answer": "PRIORITY=0\nMESSAGE=forged"])
        logger.debug("\(String(repeating: "large ", count: 50_000))")
    }

    /// Says everything that can be said to a service manager, then prints the watchdog's interval.
    private static func notify() {
        let manager = ServiceManager()
        manager.status("reading\nREADY=1")
        manager.ready()
        manager.watchdog()
        manager.reloading()
        manager.stopping()
        print(manager.watchdogInterval.map { "\($0)" } ?? "unwatched")
    }
}
