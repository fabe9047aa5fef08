/// Tokens of a vocabulary by their UTF-8, and back. One byte buffer and open addressing: 49,408 entries are
/// entered and 150,000 looked up each time a model opens, which a dictionary of strings would take ten times
/// longer for.
struct TokenTable: Sendable {
    /// Larger ids than any vocabulary has: a damaged file must not make the table huge.
    static let idLimit = 1 << 22
    /// Longest vocabulary or merges file read.
    static let mostBytes = 1 << 28

    private var bytes: [UInt8] = []
    /// End of each entry in `bytes`; it begins where the one before ends.
    private var ends: [Int32] = []
    private var ids: [Int32] = []
    /// Entry number plus one, 0 where free.
    private var slots: [Int32]
    /// Entry of each id, -1 where the vocabulary leaves it out.
    private var entries: [Int32] = []

    /// Different tokens.
    var count: Int { ids.count }
    /// One more than the largest id.
    var idCount: Int { entries.count }

    init(capacity: Int) {
        var size = 1024
        while size < 2 * capacity { size *= 2 }
        slots = Array(repeating: 0, count: size)
        ends.reserveCapacity(capacity)
        ids.reserveCapacity(capacity)
    }

    /// Adds a token or gives it another id. `id` is not negative.
    mutating func insert(_ token: some Collection<UInt8>, id: Int) {
        if 2 * (ids.count + 1) > slots.count { grow() }
        let slot = slot(of: token, followedBy: EmptyCollection())
        if slots[slot] > 0 {
            ids[Int(slots[slot]) - 1] = Int32(id)
        } else {
            bytes.append(contentsOf: token)
            ends.append(Int32(bytes.count))
            ids.append(Int32(id))
            slots[slot] = Int32(ids.count)
        }
        while entries.count <= id { entries.append(-1) }
        entries[id] = slots[slot] - 1
    }

    func id(of token: String) -> Int? { id(of: Array(token.utf8), followedBy: EmptyCollection()) }

    /// The token that the two parts make together.
    func id(of token: some Collection<UInt8>, followedBy rest: some Collection<UInt8>) -> Int? {
        let entry = slots[slot(of: token, followedBy: rest)]
        return entry > 0 ? Int(ids[Int(entry) - 1]) : nil
    }

    func text(of id: Int) -> String? {
        guard entries.indices.contains(id), entries[id] >= 0 else { return nil }
        return String(decoding: bytes[range(Int(entries[id]))], as: UTF8.self)
    }

    private func range(_ entry: Int) -> Range<Int> {
        (entry == 0 ? 0 : Int(ends[entry - 1]))..<Int(ends[entry])
    }

    /// Where the token is, or the free slot where it belongs. FNV-1a, linear probing.
    private func slot(of token: some Collection<UInt8>, followedBy rest: some Collection<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in token { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for byte in rest { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let mask = slots.count - 1, length = token.count + rest.count
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
        while slots[slot] > 0 {
            let range = range(Int(slots[slot]) - 1)
            // Slices of the array would be counted as references, which costs more than the comparison.
            if range.count == length,
                bytes.withUnsafeBufferPointer({ $0[range].elementsEqual(token, followedBy: rest) })
            {
                return slot
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: 2 * slots.count)
        for entry in ids.indices {
            slots[slot(of: bytes[range(entry)], followedBy: EmptyCollection())] = Int32(entry + 1)
        }
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    fileprivate func elementsEqual(_ token: some Collection<UInt8>, followedBy rest: some Collection<UInt8>)
        -> Bool
    {
        let middle = startIndex + token.count
        return self[startIndex..<middle].elementsEqual(token) && self[middle..<endIndex].elementsEqual(rest)
    }
}
