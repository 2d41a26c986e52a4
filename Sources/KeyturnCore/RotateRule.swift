package enum RotateRule: Sendable, Equatable {
    /// `rotate: never`: issued once; replaced only when asked, dead or changed.
    case never
    /// Jitter delays a token's due date by a fixed share of itself that only its name decides.
    case every(TimeSpan, window: Window?, jitter: TimeSpan)
}
