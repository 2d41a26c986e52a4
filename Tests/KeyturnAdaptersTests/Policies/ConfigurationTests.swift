import Foundation
import KeyturnAdapters
import KeyturnCore
import Testing

struct `Settings and policies together` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    private func load(_ environment: [String: String] = [:], leavesOut: Bool = false) throws(ConfigurationErrors) -> Configuration {
        try Configuration.load(
            settingsFile: folder.path + "/k.yaml", environment: environment, gatewayKinds: ["laozhang"], leavesOut: leavesOut,
            now: Folder.now
        )
    }

    @Test(arguments: [("development", "dev", 10), ("testing", "test", 50), ("production", "prod", 500)])
    func `each sample policy loads without a word`(name: String, environment: String, budget: Int) throws {
        let reading = try PolicyReader(now: Folder.now).read(Repository.path("policies/\(name).yaml"))
        #expect(reading.warnings == [])
        #expect(reading.policies[0].environment == environment)
        #expect(reading.policies[0].budget?.month == Money(amount: Decimal(budget), currency: "USD"))
    }

    @Test func `the sample settings load with all sample policies`() throws {
        try FileManager.default.copyItem(atPath: Repository.path("etc/keyturn.yaml"), toPath: folder.path + "/k.yaml")
        try FileManager.default.copyItem(atPath: Repository.path("policies"), toPath: folder.path + "/policies")
        let configuration = try load()
        #expect(configuration.warnings == [])
        #expect(
            configuration.tokens.map(\.name.text) == [
                "dev-mobile-testing", "prod-webapp-api", "prod-worker-batch", "prod-monitoring-statistics", "test-integration-suite",
                "test-integration-demo",
            ]
        )
        let ips = configuration.tokens.map { $0.attributes.allowIPs.isEmpty }
        #expect(ips == [true, false, false, false, true, true])
    }

    @Test func `errors of settings and of policies come at once`() throws {
        try folder.write(`Settings are read as they are meant`.gateway + "watch: {every: 0}\n", to: "k.yaml")
        try folder.write("environment: prod\ngateway: nowhere\ntokens: []\n", to: "policies/a.yaml")
        try folder.write("{", to: "policies/b.yaml")
        let error = #expect(throws: ConfigurationErrors.self) { try load() }
        let lines = folder.lines(error?.problems ?? [])
        #expect(lines.count == 4)
        #expect(lines[0] == "k.yaml:2:16: every: found '0', expected a time span above zero")
        #expect(lines[1] == "policies/a.yaml:2:10: gateway: found 'nowhere', expected a gateway of the settings: laozhang")
        #expect(
            lines[2]
                == "policies/a.yaml:3:9: tokens: found an empty list, expected a list of tokens such as [{project: webapp, purpose: api, deliver: ...}]"
        )
        #expect(lines[3].hasPrefix("policies/b.yaml:2:1: found no YAML: "))
        #expect(error?.description.split(separator: "\n").count == 4)
    }

    @Test func `gateways that are wrong themselves make no policy wrong`() throws {
        try folder.write("gateways: {laozhang: {kind: x, url: https://a, admin_token: {env: A}}}\n", to: "k.yaml")
        try folder.write(
            "environment: prod\ngateway: other\ntokens: [{project: a, purpose: b, deliver: [{file: /a}]}]\n",
            to: "policies/a.yaml"
        )
        let error = #expect(throws: ConfigurationErrors.self) { try load() }
        #expect(folder.lines(error?.problems ?? []) == ["k.yaml:1:29: kind: found 'x', expected laozhang"])
    }

    @Test func `a policy with errors is left out for who asks so, settings with errors never are`() throws {
        try folder.write(`Settings are read as they are meant`.gateway, to: "k.yaml")
        let token = "tokens: [{project: a, purpose: b, deliver: [{file: /FILE}]}]\n"
        try folder.write("environment: a\ngateway: laozhang\n" + token.replacing("FILE", with: "a"), to: "policies/a.yaml")
        try folder.write("environment: b\ngateway: nowhere\n" + token.replacing("FILE", with: "b"), to: "policies/b.yaml")
        // The later of two that clash is the bad one.
        try folder.write("environment: c\ngateway: laozhang\n" + token.replacing("FILE", with: "a"), to: "policies/c.yaml")
        let configuration = try load(leavesOut: true)
        #expect(configuration.policies.map(\.environment) == ["a"])
        #expect(configuration.leftOut.map { folder.lines([$0])[0].prefix(15) } == ["policies/b.yaml", "policies/c.yaml"])
        try folder.write("nonsense: 1\n", to: "k.yaml")
        #expect(throws: ConfigurationErrors.self) { try load(leavesOut: true) }
    }

    @Test func `a missing policy folder is an error`() throws {
        try folder.write(`Settings are read as they are meant`.gateway, to: "k.yaml")
        let error = #expect(throws: ConfigurationErrors.self) { try load() }
        #expect(folder.lines(error?.problems ?? []) == ["policies: found no such folder, expected a folder of policies"])
    }

    @Test func `secrets that cannot be had are told with the place that names them`() throws {
        let gateway = "{kind: laozhang, url: https://a, admin_token: SOURCE}"
        let sources = [
            "{env: SET}", "{env: UNSET}", "{env: EMPTY}", "{credential: here}", "{credential: gone}", "{file: k.yaml}", "{file: gone}",
        ]
        let lines = sources.enumerated().map { "  g\($0.offset): " + gateway.replacing("SOURCE", with: $0.element) }
        try folder.write("gateways:\n" + lines.joined(separator: "\n"), to: "k.yaml")
        try folder.write("x", to: "credentials/here")
        try FileManager.default.createDirectory(atPath: folder.path + "/policies", withIntermediateDirectories: true)
        let configuration = try load()
        let environment = ["SET": "x", "EMPTY": "", "CREDENTIALS_DIRECTORY": folder.path + "/credentials"]
        #expect(
            folder.lines(configuration.secretProblems(environment: environment)) == [
                "k.yaml:3:53: admin_token of gateway g1: found no environment variable UNSET (or an empty one), expected it to hold the secret",
                "k.yaml:4:53: admin_token of gateway g2: found no environment variable EMPTY (or an empty one), expected it to hold the secret",
                "k.yaml:6:53: admin_token of gateway g4: found credentials/gone: no such file, expected a credential, by LoadCredential=gone:PATH in the unit",
                "k.yaml:8:53: admin_token of gateway g6: found gone: no such file, expected a file that holds the secret",
            ]
        )
        let outside = folder.lines(configuration.secretProblems(environment: ["SET": "x", "UNSET": "x", "EMPTY": "x"]))
        #expect(
            outside.first
                == "k.yaml:5:53: admin_token of gateway g3: found no $CREDENTIALS_DIRECTORY for the credential here, "
                + "expected a unit with LoadCredential=here:PATH (or LoadCredentialEncrypted=), for which systemd sets it"
        )
    }
}
