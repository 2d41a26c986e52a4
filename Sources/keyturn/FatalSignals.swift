import Glibc

/// What ends the process when it is broken, or when systemd's watchdog thinks so, ends it at once.
///
/// Swift's runtime catches these signals to print a backtrace, and survives one that was sent: SIGABRT, the watchdog's, would
/// leave a daemon that hangs hanging. And what it prints beside registers is memory, which may be a secret's.
enum FatalSignals {
    /// Gives them their default meaning, also where whoever started this process ignores or blocks them. To be called before
    /// there is a second thread.
    static func endTheProcess() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] {
            _ = signal(number, SIG_DFL)
            unsafe sigaddset(&signals, number)
        }
        unsafe sigprocmask(SIG_UNBLOCK, &signals, nil)
    }
}
