internal import CZlib
internal import Tensors

/// A small ZIP archive in memory, stored or deflated, as NumPy's `savez` and `savez_compressed` write it.
/// Sizes are checked before anything is allocated, contents by their CRC.
struct ZipArchive {
    private let bytes: [UInt8]
    private let place: String
    private let members: [String: ZipDirectory.Member]

    init(_ bytes: [UInt8], place: String) throws {
        (self.bytes, self.place) = (bytes, place)
        members = try bytes.withUnsafeBytes { try ZipDirectory($0, place: place).members }
    }

    var names: [String] { members.keys.sorted() }

    func content(_ name: String) throws -> [UInt8]? {
        guard let member = members[name] else { return nil }
        return try bytes.withUnsafeBytes { try Self.content(member, of: $0, name: name, place: place) }
    }

    /// What a member holds, unpacked and checked.
    static func content(
        _ member: ZipDirectory.Member, of bytes: UnsafeRawBufferPointer, name: String, place: String
    ) throws -> [UInt8] {
        let stored = UnsafeRawBufferPointer(rebasing: bytes[member.range])
        let content: [UInt8]
        switch member.method {
        case 0: content = Array(stored)
        case 8:
            // No deflate stream grows by more than 1,032 times.
            guard member.size <= stored.count * 1_032 + 64, stored.count <= UInt32.max,
                member.size <= UInt32.max
            else {
                throw ZipDirectory.damaged(
                    "\(name) is said to hold \(member.size) bytes in \(stored.count)", place)
            }
            var isWhole = false
            content = [UInt8](unsafeUninitializedCapacity: member.size) { target, count in
                guard let from = stored.bindMemory(to: UInt8.self).baseAddress, let to = target.baseAddress
                else { return }
                isWhole = nb_inflate(from, UInt32(stored.count), to, UInt32(member.size)) == 1
                count = isWhole ? member.size : 0
            }
            guard isWhole else { throw ZipDirectory.damaged("\(name) cannot be unpacked", place) }
        default:
            throw EngineError(
                .unsupported,
                "\(name) is packed by method \(member.method); stored and deflated members are read",
                place: place)
        }
        guard content.count == member.size, checksum(content) == member.checksum else {
            throw ZipDirectory.damaged("the content of \(name) does not have its checksum", place)
        }
        return content
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
    }

    /// The bytes of an archive with these members stored as they are, without times: equal contents give
    /// equal bytes.
    static func archive(_ contents: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        func little(_ value: Int, _ width: Int) -> [UInt8] {
            (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var out: [UInt8] = [], directory: [UInt8] = []
        for (name, bytes) in contents {
            let name = Array(name.utf8)
            // Version 2.0, no flags, stored, 1 January 1980.
            let common =
                little(20, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0x21, 2)
                + little(Int(checksum(bytes)), 4) + little(bytes.count, 4)
                + little(bytes.count, 4) + little(name.count, 2) + little(0, 2)
            directory +=
                little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2)
                + little(0, 4) + little(out.count, 4) + name
            out += little(0x0403_4B50, 4) + common + name + bytes
        }
        let start = out.count
        let end =
            little(0x0605_4B50, 4) + little(0, 2) + little(0, 2) + little(contents.count, 2)
            + little(contents.count, 2) + little(directory.count, 4)
            + little(start, 4) + little(0, 2)
        return out + directory + end
    }
}
