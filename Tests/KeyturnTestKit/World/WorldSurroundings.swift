import KeyturnCore
import KeyturnEngine

/// What lies around the targets of a world: what a test has put there.
struct WorldSurroundings: Surroundings {
    let world: World

    func exposures(of target: TargetPolicy) -> [Exposure] { world.look { $0.exposures[target.file] ?? [] } }

    func copies(beside file: String) throws(KeyringError) -> [FileCopy] { world.look { $0.copies[file] ?? [] } }
}
