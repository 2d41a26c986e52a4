import FoundationEssentials
import Testing

@testable import KeyturnSandbox

struct FaultTests {
    @Test func `a kind alone strikes where it hurts most, always and without end`() throws {
        let fault = try Fault(parsing: "lost-answer")
        #expect(fault.kind == .afterwards(.lostAnswer))
        #expect(fault.operations == [.create])
        #expect(fault.probability == 1)
        #expect(fault.count == nil)
    }

    @Test func `value, operation, probability and count are read together`() throws {
        let fault = try Fault(parsing: "429=7:models@0.25#3")
        #expect(fault.kind == .instead(.tooManyRequests(retryAfter: 7)))
        #expect(fault.operations == [.models])
        #expect(fault.probability == 0.25)
        #expect(fault.count == 3)
        #expect(try Fault(parsing: "garbage:all").operations == [.create, .list, .revoke, .models, .usage])
    }

    @Test(arguments: [("5s", 5), ("500ms", 0.5), ("2min", 120), ("1h", 3600), ("1.5", 1.5)])
    func `a time span has a unit, or is seconds`(text: String, seconds: Double) throws {
        #expect(try Fault(parsing: "late-commit=\(text)").kind == .afterwards(.lateCommit(seconds)))
    }

    @Test func `every kind is read by its name and explained in the help`() throws {
        for row in FaultRow.all {
            #expect(throws: Never.self) { try Fault(parsing: row.name) }
            #expect(Fault.help.contains("\(row.name) "))
            #expect(row.usual.isSubset(of: row.possible))
        }
        #expect(Set(FaultRow.all.map(\.name)).count == FaultRow.all.count)
    }

    @Test(arguments: [
        ("lost-anser", "the kinds are reset, hang, 429,"), ("", "the kinds are"), ("garbage=5", "garbage takes no value"),
        ("late-commit=soon", "late-commit takes a time span, for example late-commit=5s"), ("late-commit=-1s", "takes a time span"),
        ("429=never", "takes the seconds of Retry-After"), ("late-commit:list", "late-commit strikes create"),
        ("reset:chat", "reset strikes create, list, models, revoke, usage"), ("reset@2", "a probability is a number from 0 to 1"),
        ("reset#0", "a count is a whole number from 1"), ("reset#", "a count is a whole number"),
    ])
    func `what cannot be read is answered with what can`(text: String, sentence: String) {
        let error = #expect(throws: FaultError.self) { try Fault(parsing: text) }
        #expect(error?.description.contains(sentence) == true)
    }

    @Test(arguments: ["x", "=1,2", "a=1", "a=1,2,3", "a=1x,2", "a=-1,2", "a=.,1", "a=1.2.3,1"])
    func `a usage is a name and two amounts`(text: String) throws {
        #expect(throws: SandboxUsageError(argument: text)) { try SandboxUsage.parse(text) }
        let (name, usage) = try SandboxUsage.parse("prod-*=1.25,30")
        #expect(name == "prod-*" && usage.month == 30 && "\(usage.today)" == "1.25")
    }
}
