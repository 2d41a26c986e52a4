/// The time that best effort gets.
enum Briefly {
    /// What a revocation waits for at most, so that the last figures of what it ends are known.
    private static let most = Duration.seconds(5)

    /// Ends when the body does, which is cancelled when its time is up.
    @Sendable static func run(_ body: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await body() }
            group.addTask { try? await Task.sleep(for: most) }
            await group.next()
            group.cancelAll()
        }
    }
}
