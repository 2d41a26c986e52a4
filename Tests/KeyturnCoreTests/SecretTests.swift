import Foundation
import KeyturnCore
import Testing

@Suite struct SecretTests {
    @Test(arguments: [
        ("sk-1", "sk-1", true), ("sk-1", "sk-2", false), ("sk-1", "sk-11", false), ("", "", true), ("", "x", false),
        ("xk-1", "sk-1", false),
    ])
    func `two secrets match when all their bytes do`(one: String, other: String, matches: Bool) {
        let one = Secret(one)
        let other = Secret(other)
        let (forth, back) = (one.matches(other), other.matches(one))
        #expect(forth == matches && back == matches)
    }

    @Test func `a duplicate is the same value in a place of its own, and outlives the first`() {
        let first = Secret("sk-1")
        let copy = first.duplicate()
        let isSame = copy.matches(first)
        #expect(isSame)
        let places = (SecretTests.place(of: first), SecretTests.place(of: copy))
        #expect(places.0 != places.1)
        _ = consume first
        let outlives = copy.matches(Secret("sk-1"))
        #expect(outlives)
    }

    static func place(of secret: borrowing Secret) -> UInt {
        secret.withBytes { span in unsafe span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
    }

    @Test func `its bytes are those of the text`() {
        let secret = Secret("ä1")
        let bytes = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
        #expect(bytes == [0xc3, 0xa4, 0x31])
        let empty = Secret(bytes: [])
        let counts = (secret.count, empty.count)
        #expect(counts == (3, 0))
    }

    @Test func `a wiped buffer holds nothing any more`() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { unsafe buffer.deallocate() }
        unsafe buffer.copyBytes(from: Array(repeating: 0xaa, count: 64))
        unsafe Secret.wipe(buffer)
        let left = unsafe Array(buffer)
        #expect(left == Array(repeating: 0, count: 64))
        unsafe Secret.wipe(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}
