import Foundation
import Glibc
package import KeyturnCore
package import KeyturnEngine

/// Everything assembled from settings: the state folder with journal and keyring, and the gateways.
package struct House: Sendable {
    package let settings: Settings
    package let journal: SQLiteJournal
    package let keyring: KeyringFolder
    private let limits: GatewayLimits
    /// What it remembers stays when the settings are read again.
    package let surroundings: HostSurroundings

    /// The kinds of gateway there is code for.
    package static let gatewayKinds: Set<String> = [LaozhangGateway.kind]

    /// The words for permissions that each kind's documentation names.
    package static let permissions: [String: [String]] = [LaozhangGateway.kind: LaozhangGateway.permissions]

    /// The mail address of each kind's support, as its documentation names it.
    package static let support: [String: String] = [LaozhangGateway.kind: LaozhangGateway.support]

    /// Why the house cannot be entered: the state folder, in words for its owner.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        /// It exists and this user may not use it.
        package let isPermission: Bool
    }

    package static func lockPath(_ settings: Settings) -> String { settings.stateFolder + "/lock" }

    /// Opens journal and keyring. On a host that has none yet they are made where `makes` says so; who only looks sees an
    /// empty journal, since what a looking administrator made would not be the service's.
    ///
    /// `stepsBack`: root, who becomes the state's owner for it, may be root again afterwards, see `StepDown.back`.
    package init(_ settings: Settings, environment: [String: String], makes: Bool = true, stepsBack: Bool = false) throws {
        try StepDown.toOwner(of: settings.stateFolder, meanwhile: stepsBack)
        let path = settings.stateFolder + "/journal.db"
        if !makes, unsafe access(path, F_OK) != 0, errno == ENOENT {
            self.init(settings, try SQLiteJournal(path: nil), try KeyringFolder(path: settings.stateFolder + "/keys"))
            return
        }
        try House.makeStateFolder(settings.stateFolder)
        // Two that come first at once would each make the tables and claim the keyring; the lock ends with its descriptor.
        let folder = unsafe Glibc.open(settings.stateFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        while flock(folder, LOCK_EX) != 0, errno == EINTR {}
        for file in [path, settings.stateFolder + "/keys/host.key", settings.stateFolder + "/keys/history.key"] {
            Leftovers.clear(beside: file)
        }
        let journal = try SQLiteJournal(path: path, seal: .missing("its keyring was not looked at"))
        let sealKey = try SecretReader.optionalCredential("keyring-key", environment: environment)
        let keyring = try KeyringFolder(
            path: settings.stateFolder + "/keys", sealKey: sealKey, belongs: { try journal.fact("keyring") },
            claim: { try journal.setFact("keyring", $0) }
        )
        try keyring.found()
        try House.chain(journal, folder: settings.stateFolder + "/keys", makes: makes)
        self.init(settings, journal, keyring)
    }

    private init(
        _ settings: Settings, _ journal: SQLiteJournal, _ keyring: KeyringFolder,
        _ limits: GatewayLimits = GatewayLimits(now: HostClock.now), _ surroundings: HostSurroundings? = nil
    ) {
        self.settings = settings
        self.journal = journal
        self.keyring = keyring
        self.limits = limits
        self.surroundings = surroundings ?? HostSurroundings { () throws(KeyringError) in try keyring.fingerprinter() }
    }

    /// The same house under settings that were read again. A pause that a gateway has asked for stays.
    package func with(_ settings: Settings) -> House { House(settings, journal, keyring, limits, surroundings) }

    private static func makeStateFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            let isPermission = (error as? CocoaError)?.code == .fileWriteNoPermission
            throw Failure(description: "cannot make the state folder \(path): \(error.localizedDescription)", isPermission: isPermission)
        }
        guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
            let isPermission = errno == EACCES || errno == EPERM
            let why = unsafe String(cString: strerror(errno))
            throw Failure(
                description: "cannot use the state folder \(path): \(why); run as root, or as the user that keyturn runs as",
                isPermission: isPermission)
        }
    }

    package var keyringPath: String { keyring.path }

    /// The host's key, for who compares many strings.
    package func fingerprinter() throws -> Fingerprinter {
        do { return try keyring.fingerprinter() } catch {
            let isPermission = unsafe access(keyring.path + "/host.key", R_OK) != 0 && (errno == EACCES || errno == EPERM)
            throw Failure(description: error.description, isPermission: isPermission)
        }
    }

    /// The gateways with their admin tokens, read now, each within the limit that all of this process share.
    package func gateways(environment: [String: String], http: HTTPClient) throws -> [GatewayName: any Gateway] {
        var gateways: [GatewayName: any Gateway] = [:]
        for (name, gateway) in settings.gateways {
            let admin = try SecretReader.read(gateway.adminToken, environment: environment)
            gateways[name] = try self.gateway(name, gateway, admin: admin, http: http)
        }
        return gateways
    }

    /// A gateway for what a token's own secret may ask: without an admin token, which a command beside a daemon has not.
    package func gatewayForTrials(_ name: GatewayName, http: HTTPClient) throws -> (any Gateway)? {
        try settings.gateways[name].map { try gateway(name, $0, admin: Secret(""), http: http) }
    }

    private func gateway(
        _ name: GatewayName, _ settings: GatewaySettings, admin: consuming Secret, http: HTTPClient
    ) throws -> any Gateway {
        let gateway: any Gateway =
            switch settings.kind {
            case LaozhangGateway.kind: LaozhangGateway(settings, admin: admin, http: http)
            default: throw Failure(description: "there is no gateway of kind \(settings.kind)", isPermission: false)
            }
        return LimitedGateway(gateway, limits.limit(of: name, settings))
    }

    package func ports(
        _ gateways: [GatewayName: any Gateway], couriers: [any Courier] = [], now: @escaping @Sendable () -> Moment = HostClock.now
    ) -> Ports {
        var ports = Ports(
            gateways: gateways, journal: journal, keyring: keyring,
            delivery: { target, policy in House.delivery(target, policy) },
            consumer: { target in ConsumerKinds.consumer(for: target) },
            secretInFile: House.secretInFile, stillHolds: { id, secret throws(DeliveryError) in try LeftTarget(id).holds(secret) },
            couriers: couriers, now: now, briefly: Briefly.run
        )
        ports.surroundings = surroundings
        return ports
    }

    private static func delivery(_ target: TargetPolicy, _ policy: TokenPolicy) -> any Delivery {
        DeliveryKinds.delivery(for: target, in: TargetContext(token: policy.name, environment: policy.environment))
    }

    /// A file that is one of the token's targets is read as that target's format says; any other is the secret itself.
    private static func secretInFile(_ file: String, _ policy: TokenPolicy) throws(DeliveryError) -> Secret? {
        let target = policy.targets.first { $0.file == file } ?? TargetPolicy(file: file, format: .raw)
        guard target.format == .raw else { return try delivery(target, policy).published() }
        do throws(SecretReader.Failure) { return try SecretReader.read(.file(file), environment: [:]) } catch {
            throw DeliveryError(error.description)
        }
    }
}
