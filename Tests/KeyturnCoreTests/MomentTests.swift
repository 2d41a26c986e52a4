import Foundation
import KeyturnCore
import Testing

@Suite struct MomentTests {
    let hold = Hold(for: .hours(1), from: moment())

    @Test func `a hold is over when both clocks say so`() {
        #expect(!hold.isOver(at: moment(after: 3599)))
        #expect(hold.isOver(at: moment(after: 3600)))
        #expect(hold.end(seenAt: moment(after: 600)) == monday.addingTimeInterval(3600))
        #expect(Hold(for: .zero, from: moment()).isOver(at: moment()))
    }

    @Test func `a clock that jumps ahead does not cut it short`() {
        let jumped = moment(monday.addingTimeInterval(86400), boot: 5060)
        #expect(!hold.isOver(at: jumped))
        #expect(hold.end(seenAt: jumped) == jumped.wall.addingTimeInterval(3540))
        #expect(hold.isOver(at: moment(monday.addingTimeInterval(86400), boot: 8600)))
    }

    @Test func `a clock that is set back lasts until it has caught up`() {
        let back = moment(monday.addingTimeInterval(-7200), boot: 5000 + 3600)
        #expect(!hold.isOver(at: back))
        #expect(hold.end(seenAt: back) == monday.addingTimeInterval(3600))
    }

    @Test func `after a reboot the rest that was last saved counts anew`() {
        let saved = hold.saved(at: moment(after: 2400))
        #expect(saved.rest == 1200)
        let rebooted = moment(monday.addingTimeInterval(7200), boot: 10, bootID: "next")
        #expect(!saved.isOver(at: rebooted))
        #expect(saved.end(seenAt: rebooted) == rebooted.wall.addingTimeInterval(1200))

        let again = saved.saved(at: rebooted)
        #expect(again.bootID == "next" && again.rest == 1200)
        #expect(!again.isOver(at: moment(monday.addingTimeInterval(8400), boot: 1209, bootID: "next")))
        #expect(again.isOver(at: moment(monday.addingTimeInterval(8400), boot: 1210, bootID: "next")))
    }

    @Test func `boot seconds of another boot are not compared`() {
        // A long uptime of the next boot is no time that has passed for the hold.
        #expect(!hold.isOver(at: moment(monday.addingTimeInterval(7200), boot: 1e6, bootID: "next")))
    }

    @Test func `it is worth saving after another boot or a tenth of the rest, not with every look`() {
        #expect(!hold.wantsSaving(at: moment(after: 360)))
        #expect(hold.wantsSaving(at: moment(after: 361)))
        #expect(hold.wantsSaving(at: moment(after: 1).rebooted))
        #expect(!Hold(for: .minutes(5), from: moment()).wantsSaving(at: moment(after: 60)))
        #expect(Hold(for: .minutes(5), from: moment()).wantsSaving(at: moment(after: 61)))
    }

    @Test func `boot time that runs backwards within one boot adds nothing`() {
        #expect(hold.saved(at: moment(monday, boot: 4000)).rest == 3600)
    }
}

extension Moment {
    var rebooted: Moment { Moment(wall: wall, boot: 1, bootID: "next") }
}
