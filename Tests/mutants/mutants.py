#!/usr/bin/env python3
"""Breaks one guard at a time and sees that the tests notice.

Each mutant is one exact replacement in the sources, tried in a copy of the checkout. A mutant that no test catches, that does
not build, or whose place in the sources is not found (exactly once) any more, fails the run. Usage: mutants.py [NAME...]
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = "Sources/KeyturnCore/"
ENGINE = "Sources/KeyturnEngine/"
ADAPTERS = "Sources/KeyturnAdapters/"
BOTH = "KeyturnCoreTests|KeyturnEngineTests"


@dataclass
class Mutant:
    name: str
    breaks: str
    file: str
    old: str
    new: str
    # Which tests are asked, as `swift test --filter` takes it.
    tests: str = BOTH


MUTANTS = [
    Mutant(
        "revoke-before-applied", "the old secret is released while a target still lacks the new one", CORE + "TokenStep.swift",
        "guard isOutOfTargets(generation.name, policy) else { return .wait(nil) }\n", "_ = isOutOfTargets(generation.name, policy)\n",
    ),
    Mutant(
        "create-again-blindly", "a create whose answer is lost is sent again", ENGINE + "RotatorMint.swift",
        "        case .unknown(let why):\n", "        case .unknown(let why):\n            _ = await desk.gateway.create(order)\n",
    ),
    Mutant(
        "forget-the-name", "a create that a dead process had begun is taken for never made", ENGINE + "KeeperWatch.swift",
        'return .lost(intent.name, why: "the process ended before its secret was kept")',
        'return .notMade(intent.name, why: "", needsPerson: false, retryAfter: nil)',
    ),
    Mutant(
        "revoke-by-pattern", "whatever is named like ours is revoked with it", ENGINE + "RotatorRevoke.swift",
        "            try await desk.gateway.revoke(id)\n",
        "            for key in try await desk.listed().keys where policy?.pattern.matches(key.name) == true && key.name != token.current {\n"
        "                if let other = key.id { try await desk.gateway.revoke(other) }\n            }\n"
        "            try await desk.gateway.revoke(id)\n",
    ),
    Mutant(
        "trust-an-inferred-id", "an id that was only inferred is revoked though another key bears its name", ENGINE + "RotatorRevoke.swift",
        "if generation.identity != .told, listing", "if generation.identity == nil, listing",
    ),
    Mutant(
        "revoke-what-is-dead-already", "an inferred id is revoked though our own key has ended", ENGINE + "RotatorRevoke.swift",
        "if generation.identity != .told, generation.acceptedAt != nil {", "if generation.identity == nil, generation.acceptedAt != nil {",
    ),
    Mutant(
        "guess-between-two", "of two keys of one name the first one is taken for ours", CORE + "Sighting.swift",
        "guard newcomers.count == 1, generation.identity", "guard newcomers.count >= 1, generation.identity",
    ),
    Mutant(
        "ignore-quiet", "the old secret is revoked while somebody uses it", CORE + "Generation.swift",
        "package var wantsQuiet: Bool { !quietFor.isZero }", "package var wantsQuiet: Bool { false }",
    ),
    Mutant(
        "ignore-at-least", "the old secret is revoked as soon as the new one is applied", CORE + "TokenStep.swift",
        "guard retirement.overlap.isOver(at: now) else { return .wait(retirement.overlap.end(seenAt: now)) }\n", "",
    ),
    Mutant(
        "trust-the-wall-clock", "a clock that jumps ahead ends an overlap", CORE + "Moment.swift",
        "now.wall >= until && restLeft(at: now) <= 0", "now.wall >= until",
    ),
    Mutant(
        "ignore-the-gateways-clock", "a wrong clock creates and revokes by schedule", ENGINE + "Desk.swift",
        "abs(error) > Sighting.tolerance else { return nil }", "abs(error) > .infinity else { return nil }",
    ),
    Mutant(
        "unknown-keyring-is-empty", "a keyring that cannot be read is taken for an empty one", ENGINE + "Keeper.swift",
        "if let finding = keyringFinding() {", "if let finding = keyringFinding(), finding.token != nil {",
    ),
    Mutant(
        "one-refusal-is-death", "one 401 replaces a token", CORE + "Refusals.swift",
        "count >= Refusals.needed && now.timeIntervalSince(since) >= Refusals.span", "count >= 1",
    ),
    Mutant(
        "believe-the-answer", "a revocation is over when it is answered, not when the secret is refused", CORE + "TokenAdvance.swift",
        "($0.revokeAnsweredAt, $0.attempts) = (now.wall, Attempts())", "($0.revokeAnsweredAt, $0.state) = (now.wall, .revoked)",
    ),
    Mutant(
        "withdraw-without-putting-back", "a refused new secret is revoked while it lies in targets", CORE + "TokenAdvance.swift",
        "if !isDelivered { abandon(now) } else if currentGeneration?.state != .held { leaveInUse(policy, now) }",
        "abandon(now)\n        _ = isDelivered",
    ),
    Mutant(
        "many-dead-are-dead", "an ill gateway has every token replaced", ENGINE + "KeeperWatch.swift",
        "guard dead.count <= max(3, mine.count / 10) else {", "guard dead.count <= 100_000 else {",
    ),
    Mutant(
        "capacity-is-not-reserved", "an account that is full is asked for more", ENGINE + "RotatorMint.swift",
        "others: others, capacity: desk.capacity)", "others: others, capacity: nil)",
    ),
    Mutant(
        "release-unseen", "the old secret is released though its successor is refused", ENGINE + "RotatorRevoke.swift",
        'return [.readFailed(name, why: "\\(current.name), which replaces it, is refused: \\(why)", retryAfter: nil)]',
        "_ = why\n                return [.released(name)]",
    ),
    Mutant(
        "secret-before-it-is-on-disk", "a secret of the keyring is renamed into place before it is synced", ADAPTERS + "Keyring/SecretFile.swift",
        "guard ftruncate(descriptor, off_t(bytes.count)) == 0, fsync(descriptor) == 0 else",
        "guard ftruncate(descriptor, off_t(bytes.count)) == 0 else", "Keyring",
    ),
    Mutant(
        "target-before-it-is-on-disk", "a target is renamed into place before it is synced", ADAPTERS + "Deliveries/AtomicFile.swift",
        "                try Errno.check(fsync(file.descriptor.rawValue))\n", "", "HostTests|AtomicFile",
    ),
    Mutant(
        "journal-without-sync", "a power cut takes the last records", ADAPTERS + "Journal/SQLiteJournal.swift",
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", "Journal",
    ),
    Mutant(
        "create-on-a-used-connection", "a connection that dies sends the create a second time", ADAPTERS + "Curl/CurlTransfer.swift",
        "CURLOPT_FRESH_CONNECT, request.isolated ? 1 : 0", "CURLOPT_FRESH_CONNECT, request.isolated ? 0 : 0", "SentOnce",
    ),
    Mutant(
        "told-again-and-again", "what was told counts as not told", CORE + "Notice.swift",
        "notice.told = word == .again ? told + 1 : 1\n", "notice.told = word == .again ? told + 1 : 0\n",
    ),
    Mutant(
        "a-storm-of-mail", "hundreds of findings at once are hundreds of mails", CORE + "Owed.swift",
        "spoken.count <= Owed.mostAlone && ", "",
    ),
    Mutant(
        "send-during-a-pause", "a gateway that asked to be left alone is asked on", ENGINE + "GatewayLimit.swift",
        "guard let rest else { return count }\n", "guard let rest, rest > Backoff.longest else { return count }\n",
    ),
    Mutant(
        "zoneless-is-utc", "a time without a zone proves a key to be another's", CORE + "Sighting.swift",
        "age >= -Sighting.tolerance - key.doubt && age <= Sighting.longestWay + key.doubt",
        "age >= -Sighting.tolerance && age <= Sighting.longestWay",
    ),
    Mutant(
        "an-old-list-will-do", "the last reading before a release goes by a list from before the quiet time's end", ENGINE + "RotatorRevoke.swift",
        "return askedAt.wall < end || abs(now.boot - askedAt.boot) > 60", "return askedAt.wall > end && abs(now.boot - askedAt.boot) > 86400",
    ),
    Mutant(
        "forget-what-left", "a target that left its policy is forgotten with a living secret in it", ENGINE + "LeftTargets.swift",
        "if let generation = try generation(in: state.id, of: tokens[index]) {",
        "if let generation = try generation(in: state.id, of: tokens[index]), generation.isEmpty {",
    ),
    Mutant(
        "a-list-is-never-wrong", "what a list leaves out is revoked while consumers use it", ENGINE + "RotatorRevoke.swift",
        'return [.readFailed(name, why: "the gateway does not list it as alive and accepts its secret", retryAfter: nil)]',
        "return [.released(name)]",
    ),
    Mutant(
        "unreadable-is-lost", "a record that cannot be read for a moment is taken for a lost one, and no proof is asked", ENGINE + "RotatorRevoke.swift",
        "do { secret = try ports.keyring.secret(name, of: token.gateway) } catch { return unreadable(name, error) }",
        "do { secret = try ports.keyring.secret(name, of: token.gateway) } catch { secret = nil }",
    ),
    Mutant(
        "put-back-and-revoked", "without a policy an old secret is revoked though somebody has put it back", ENGINE + "RotatorRevoke.swift",
        "guard try !ports.stillHolds(target.id, old) else {", "guard try !ports.stillHolds(target.id, old) || token.ending == nil else {",
    ),
    Mutant(
        "forget-what-is-to-be-removed", "an expired secret is forgotten while a target that cannot be written holds it", CORE + "Token.swift",
        "ending == .expired && targets.contains { $0.generation == generation && $0.leftAt == nil }",
        "ending == .expired && targets.contains { $0.generation == generation && $0.leftAt != nil }",
    ),
    Mutant(
        "own-files-are-targets", "a target overwrites Keyturn's own files with a secret", ADAPTERS + "Policies/OwnFiles.swift",
        "guard let use else { return nil }", "guard let use, use.isEmpty else { return nil }", "CheckTests",
    ),
    Mutant(
        "408-is-certain", "a create that may have been done is forgotten", ADAPTERS + "Gateways/CreateStatus.swift",
        "case 400, 402,", "case 408, 400, 402,", "laozhang",
    ),
    Mutant(
        "list-without-end", "a hostile list takes all memory", ADAPTERS + "Gateways/LaozhangPages.swift",
        "        if room <= 0 {", "        if room <= -1_000_000_000 {", "laozhang",
    ),
    Mutant(
        "leave-in-use-what-leaked", "what leaked stays the current one", CORE + "TokenLeak.swift", "        current = nil\n        urge()\n",
        "        urge()\n",
    ),
    Mutant(
        "keep-what-leaked", "what leaked and was to be replaced first waits for its replacement for ever", CORE + "TokenLeak.swift",
        "        guard generation.retirement?.overlap.isOver(at: now) ?? true else { return nil }\n        guard let policy, isReplacementPublished(policy) else {",
        "        guard let policy, isReplacementPublished(policy) else { return nil }\n        guard generation.retirement?.overlap.isOver(at: now) ?? true else {",
    ),
    Mutant(
        "adopt-what-leaked", "a secret that leaked is taken over again", ENGINE + "Adoption.swift",
        "if try ports.journal.isLeaked(fingerprint: fingerprint) {", "if false {",
    ),
    Mutant(
        "leak-by-schedule", "a clock that is off holds the end of what leaked", ENGINE + "RotatorRevoke.swift",
        "        if let generation = token.generation(name), let why = token.reasonToContain(generation, under: policy, at: ports.now()) {\n",
        "        if desk.clockIsOff == nil, let generation = token.generation(name),\n"
        "            let why = token.reasonToContain(generation, under: policy, at: ports.now())\n        {\n",
    ),
]


def manifest() -> str:
    """Core and Engine with their tests alone, which build in a fraction of the whole."""
    text = (ROOT / "Package.swift").read_text()
    settings = re.search(r"let settings: \[SwiftSetting\] = \[.*?\n\]\n", text, re.S).group(0)
    log = re.search(r'\.package\(url: "[^"]*swift-log", exact: "[^"]*"\)', text).group(0)
    targets = [
        '.target(name: "KeyturnCore", swiftSettings: settings)',
        '.target(name: "KeyturnEngine", dependencies: ["KeyturnCore", logging], swiftSettings: settings)',
        '.target(name: "KeyturnTestKit", dependencies: ["KeyturnCore", "KeyturnEngine", logging], path: "Tests/KeyturnTestKit", '
        "swiftSettings: settings)",
        '.testTarget(name: "KeyturnCoreTests", dependencies: ["KeyturnCore", "KeyturnTestKit"], swiftSettings: settings)',
        '.testTarget(name: "KeyturnEngineTests", dependencies: ["KeyturnCore", "KeyturnEngine", "KeyturnTestKit", logging], '
        "swiftSettings: settings)",
    ]
    return (
        "// swift-tools-version: 6.3\nimport PackageDescription\n\n" + settings
        + 'let logging = Target.Dependency.product(name: "Logging", package: "swift-log")\n'
        + f'let package = Package(name: "keyturn", dependencies: [{log}], targets: [\n    ' + ",\n    ".join(targets) + "\n])\n"
    )


def copy(target: pathlib.Path, whole: bool) -> None:
    for name in ["Sources", "Tests", "policies", "systemd", "etc", "Package.swift"]:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target / name)
    if not whole:
        (target / "Package.swift").write_text(manifest())


def swift(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["swift", *arguments], cwd=folder, capture_output=True, text=True, errors="replace")


def sound(folder: pathlib.Path, tests: str) -> None:
    build = swift(folder, "build", "--build-tests")
    if build.returncode != 0:
        sys.exit("the sources themselves do not build:\n" + build.stdout[-3000:])
    if swift(folder, "test", "--skip-build", "--filter", tests).returncode != 0:
        sys.exit("the tests fail without any mutant")


def judge(mutant: Mutant, folder: pathlib.Path) -> str:
    path = folder / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return f"LOST: its place is found {text.count(mutant.old)} times in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        build = swift(folder, "build", "--build-tests")
        if build.returncode != 0:
            errors = [line for line in build.stdout.splitlines() if "error:" in line]
            return "UNBUILT: " + (errors[0] if errors else build.stdout[-300:])
        test = swift(folder, "test", "--skip-build", "--filter", mutant.tests)
        if test.returncode == 0:
            return "SURVIVED"
        # The first sentence that failed, for the report.
        failed = re.findall(r'✘ Test "?(.+?)"? (?:recorded an issue|with \d+ test cases? failed|failed)', test.stdout)
        return f"caught by: {failed[0]}" if failed else "caught: the tests ended at once"
    finally:
        path.write_text(text)


def check() -> None:
    """Is the place of every mutant found exactly once? Takes no time, so every test run asks it."""
    lost = [mutant.name for mutant in MUTANTS if (ROOT / mutant.file).read_text().count(mutant.old) != 1]
    sys.exit(f"not found exactly once: {', '.join(lost)}" if lost else 0)


def main() -> None:
    if sys.argv[1:] == ["--check"]:
        check()
    wanted = set(sys.argv[1:])
    unknown = wanted - {mutant.name for mutant in MUTANTS}
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    chosen = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    bad = 0
    for whole in [False, True]:
        group = [mutant for mutant in chosen if mutant.file.startswith(ADAPTERS) == whole]
        if not group:
            continue
        with tempfile.TemporaryDirectory(prefix="keyturn-mutants-") as folder:
            copy(pathlib.Path(folder), whole)
            print(f"building {'everything' if whole else 'the core and the engine'} without a mutant ...", flush=True)
            sound(pathlib.Path(folder), "|".join({mutant.tests for mutant in group}))
            for mutant in group:
                start = time.monotonic()
                verdict = judge(mutant, pathlib.Path(folder))
                bad += not verdict.startswith("caught")
                print(f"{mutant.name}: {mutant.breaks}\n    {verdict} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(chosen)} mutants, {len(chosen) - bad} caught, {bad} not")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
