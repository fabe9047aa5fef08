internal import CZlib
internal import Tensors

/// A small ZIP archive in memory, stored or deflated, as NumPy's `savez` and `savez_compressed` write it. Sizes are checked before anything
/// is allocated, contents by their CRC.
struct ZipArchive {
    private struct Member {
        var method: Int
        var checksum: UInt32
        var compressed: Int
        var size: Int
        var offset: Int
    }

    private let bytes: [UInt8]
    private let place: String
    private var members: [String: Member] = [:]

    /// Without the parts for archives beyond 4 GB.
    init(_ bytes: [UInt8], place: String) throws {
        (self.bytes, self.place) = (bytes, place)
        // The directory's end stands before a comment of up to 64 KB.
        let signature: [UInt8] = [0x50, 0x4B, 5, 6]
        let lowest = max(0, bytes.count - 65_557)
        guard bytes.count >= 22, let end = stride(from: bytes.count - 22, through: lowest, by: -1).first(where: { bytes[$0..<$0 + 4].elementsEqual(signature) })
        else { throw damaged("no directory of a ZIP archive was found") }
        let count = try number(end + 10, 2)
        var place = try number(end + 16, 4)
        for _ in 0..<count {
            guard try number(place, 4) == 0x0201_4B50 else { throw damaged("its directory is broken") }
            let nameLength = try number(place + 28, 2)
            let name = String(decoding: try slice(place + 46, nameLength), as: UTF8.self)
            members[name] = Member(
                method: try number(place + 10, 2), checksum: UInt32(try number(place + 16, 4)), compressed: try number(place + 20, 4),
                size: try number(place + 24, 4), offset: try number(place + 42, 4))
            place += 46 + nameLength + (try number(place + 30, 2)) + (try number(place + 32, 2))
        }
    }

    var names: [String] { members.keys.sorted() }

    func content(_ name: String) throws -> [UInt8]? {
        guard let member = members[name] else { return nil }
        guard try number(member.offset, 4) == 0x0403_4B50 else { throw damaged("\(name) is not where the directory says") }
        let start = member.offset + 30 + (try number(member.offset + 26, 2)) + (try number(member.offset + 28, 2))
        let stored = try slice(start, member.compressed)
        let content: [UInt8]
        switch member.method {
        case 0: content = Array(stored)
        case 8:
            // No deflate stream grows by more than 1,032 times.
            guard member.size <= member.compressed * 1_032 + 64 else { throw damaged("\(name) is said to hold \(member.size) bytes in \(member.compressed)") }
            var isWhole = false
            content = stored.withUnsafeBytes { source in
                [UInt8](unsafeUninitializedCapacity: member.size) { target, count in
                    guard let from = source.bindMemory(to: UInt8.self).baseAddress, let to = target.baseAddress else { return }
                    isWhole = nb_inflate(from, UInt32(member.compressed), to, UInt32(member.size)) == 1
                    count = isWhole ? member.size : 0
                }
            }
            guard isWhole else { throw damaged("\(name) cannot be unpacked") }
        default: throw EngineError(.unsupported, "\(name) is packed by method \(member.method); stored and deflated members are read", place: place)
        }
        guard content.count == member.size, Self.checksum(content) == member.checksum else {
            throw damaged("the content of \(name) does not have its checksum")
        }
        return content
    }

    private func number(_ offset: Int, _ width: Int) throws -> Int {
        try slice(offset, width).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func slice(_ offset: Int, _ count: Int) throws -> ArraySlice<UInt8> {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { throw damaged("it ends early") }
        return bytes[offset..<offset + count]
    }

    private func damaged(_ message: String) -> EngineError {
        EngineError(.format, "not a usable ZIP archive: " + message, place: place, cure: "the file may be cut short; make it again")
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
    }

    /// The bytes of an archive with these members stored as they are, without times: equal contents give equal bytes.
    static func archive(_ contents: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        func little(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var out: [UInt8] = [], directory: [UInt8] = []
        for (name, bytes) in contents {
            let name = Array(name.utf8)
            // Version 2.0, no flags, stored, 1 January 1980.
            let common =
                little(20, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0x21, 2) + little(Int(checksum(bytes)), 4) + little(bytes.count, 4)
                + little(bytes.count, 4) + little(name.count, 2) + little(0, 2)
            directory +=
                little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(out.count, 4) + name
            out += little(0x0403_4B50, 4) + common + name + bytes
        }
        let start = out.count
        let end =
            little(0x0605_4B50, 4) + little(0, 2) + little(0, 2) + little(contents.count, 2) + little(contents.count, 2) + little(directory.count, 4)
            + little(start, 4) + little(0, 2)
        return out + directory + end
    }
}
