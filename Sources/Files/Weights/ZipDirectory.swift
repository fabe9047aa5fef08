internal import Tensors

/// Where the members of a ZIP archive lie (PKWARE's APPNOTE 6.3.10), those beyond 4 GB too. Every offset and
/// length is checked against the archive.
struct ZipDirectory {
    struct Member: Equatable {
        /// 0 stored, 8 deflated.
        var method: Int
        var checksum: UInt32
        var size: Int
        /// The bytes as they lie in the archive.
        var range: Range<Int>
    }

    private(set) var members: [String: Member] = [:]
    private let bytes: UnsafeRawBufferPointer
    private let place: String

    /// `bytes` must outlive what is made of `members`; the directory itself keeps nothing of them.
    init(_ bytes: UnsafeRawBufferPointer, place: String) throws {
        (self.bytes, self.place) = (bytes, place)
        var (count, offset) = try directory()
        for _ in 0..<count {
            guard try number(offset, 4) == 0x0201_4B50 else { throw damaged("its directory is broken") }
            let nameLength = try number(offset + 28, 2), extraLength = try number(offset + 30, 2)
            let name = String(decoding: try slice(offset + 46, nameLength), as: UTF8.self)
            guard members[name] == nil else { throw damaged("\(name) stands in it twice") }
            members[name] = try member(name, at: offset, extra: offset + 46 + nameLength, extraLength)
            offset += 46 + nameLength + extraLength + (try number(offset + 32, 2))
        }
        try checkOverlap()
    }

    /// How many entries there are, and where the first lies.
    private func directory() throws -> (count: Int, offset: Int) {
        // The directory's end stands before a comment of up to 64 KB.
        let lowest = max(0, bytes.count - 65_557)
        guard bytes.count >= 22,
            let end = try stride(from: bytes.count - 22, through: lowest, by: -1).first(where: {
                try number($0, 4) == 0x0605_4B50
            })
        else { throw damaged("no directory of a ZIP archive was found") }
        let count = try number(end + 10, 2), offset = try number(end + 16, 4)
        guard count == 0xffff || offset == 0xffff_ffff, end >= 20, try number(end - 20, 4) == 0x0706_4B50
        else { return (count, offset) }
        let wide = try number(end - 20 + 8, 8)
        guard try number(wide, 4) == 0x0606_4B50 else { throw damaged("its directory is broken") }
        return (try number(wide + 32, 8), try number(wide + 48, 8))
    }

    private func member(_ name: String, at entry: Int, extra: Int, _ extraLength: Int) throws -> Member {
        var packed = try number(entry + 20, 4), size = try number(entry + 24, 4),
            start = try number(entry + 42, 4)
        // Numbers that do not fit into 32 bits stand in an extra field of their own, in this order and only
        // those.
        var field = extra
        while field + 4 <= extra + extraLength {
            let length = try number(field + 2, 2)
            guard try number(field, 2) == 1 else {
                field += 4 + length
                continue
            }
            var place = field + 4
            func wide(_ value: inout Int) throws {
                guard value == 0xffff_ffff else { return }
                guard place + 8 <= field + 4 + length else { throw damaged("the size of \(name) is missing") }
                value = try number(place, 8)
                place += 8
            }
            try wide(&size)
            try wide(&packed)
            try wide(&start)
            break
        }
        guard try number(start, 4) == 0x0403_4B50 else {
            throw damaged("\(name) is not where the directory says")
        }
        let content = start + 30 + (try number(start + 26, 2)) + (try number(start + 28, 2))
        _ = try slice(content, packed)
        guard size >= 0 else { throw damaged("\(name) has no size") }
        return Member(
            method: try number(entry + 10, 2), checksum: UInt32(try number(entry + 16, 4)), size: size,
            range: content..<(content + packed))
    }

    /// A small archive whose members share their bytes unpacks to a large one.
    private func checkOverlap() throws {
        var end = 0
        for (name, member) in members.sorted(by: {
            ($0.value.range.lowerBound, $0.key) < ($1.value.range.lowerBound, $1.key)
        }) {
            guard member.range.lowerBound >= end else {
                throw damaged("the bytes of \(name) are those of another member, too")
            }
            end = member.range.upperBound
        }
    }

    private func number(_ offset: Int, _ width: Int) throws -> Int {
        let value = try slice(offset, width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let number = Int(exactly: value) else { throw damaged("a number in it is too large") }
        return number
    }

    private func slice(_ offset: Int, _ count: Int) throws -> UnsafeRawBufferPointer.SubSequence {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
            throw damaged("it ends early")
        }
        return bytes[offset..<offset + count]
    }

    private func damaged(_ message: String) -> EngineError { Self.damaged(message, place) }

    static func damaged(_ message: String, _ place: String) -> EngineError {
        EngineError(
            .format, "not a usable ZIP archive: " + message, place: place,
            cure: "the file may be cut short; make it again")
    }
}
