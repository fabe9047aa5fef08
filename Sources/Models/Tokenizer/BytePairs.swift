import Tensors

/// Byte-pair encoding of one word (Sennrich, Haddow, Birch 2016): its bytes, the last with `</w>`, merged
/// pair by pair, the pair of lowest rank first and the leftmost of equals. A heap of candidate pairs makes a
/// word of n bytes cost n log n, however long it is.
struct BytePairs: Sendable {
    struct Merge: Sendable {
        let rank: Int32
        let merged: Int32
    }

    /// The token of each byte inside a word and at its end.
    private let inner: [Int32]
    private let final: [Int32]
    /// Keyed by the left token in the upper and the right token in the lower half.
    private let merges: [UInt64: Merge]

    init(files: TokenizerFiles) throws {
        let unknown = Int32(truncatingIfNeeded: files.unknown)
        let tokens = files.tokens
        inner = ByteAlphabet.characters.map { tokens.id(of: String($0)).map { Int32($0) } ?? unknown }
        final = ByteAlphabet.characters.map {
            tokens.id(of: String($0) + "</w>").map { Int32($0) } ?? unknown
        }
        var merges: [UInt64: Merge] = [:]
        merges.reserveCapacity(files.merges.pairs.count)
        try files.merges.bytes.withUnsafeBufferPointer { bytes in
            let none = EmptyCollection<UInt8>()
            for (rank, pair) in files.merges.pairs.enumerated() {
                let left = bytes[pair.left], right = bytes[pair.right]
                guard let first = tokens.id(of: left, followedBy: none),
                    let second = tokens.id(of: right, followedBy: none),
                    let merged = tokens.id(of: left, followedBy: right)
                else {
                    let named =
                        [Array(left), Array(right), Array(left) + right].first {
                            tokens.id(of: $0, followedBy: none) == nil
                        } ?? Array(left)
                    let absent = String(decoding: named, as: UTF8.self)
                    throw EngineError(
                        .format, "merge \(rank + 1) needs the token \(absent), which the vocabulary lacks",
                        place: files.mergesPath)
                }
                merges[Self.key(Int32(first), Int32(second))] = Merge(
                    rank: Int32(rank), merged: Int32(merged))
            }
        }
        self.merges = merges
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    func encode(_ word: ArraySlice<UInt8>, into ids: inout [Int]) {
        guard let last = word.last else { return }
        var tokens = word.dropLast().map { inner[Int($0)] }
        tokens.append(final[Int(last)])
        let end = Int32(tokens.count)
        // A doubly linked list over the places of `tokens`; a place that was merged into its left neighbour
        // holds -1.
        var next = (0..<end).map { $0 + 1 }
        var previous = (0..<end).map { $0 - 1 }
        var heap = CandidateHeap()
        func consider(_ left: Int32, _ right: Int32) {
            guard left >= 0, right < end, let merge = merges[Self.key(tokens[Int(left)], tokens[Int(right)])]
            else { return }
            heap.push(Candidate(rank: merge.rank, place: left, merged: merge.merged))
        }
        for left in 0..<max(end - 1, 0) { consider(left, left + 1) }
        while let best = heap.pop() {
            let left = Int(best.place)
            let right = Int(next[left])
            // The pair may have changed since the candidate was pushed.
            guard tokens[left] >= 0, right < Int(end),
                let merge = merges[Self.key(tokens[left], tokens[right])], merge.merged == best.merged
            else { continue }
            tokens[left] = merge.merged
            tokens[right] = -1
            next[left] = next[right]
            if next[right] < end { previous[Int(next[right])] = best.place }
            consider(previous[left], best.place)
            consider(best.place, next[left])
        }
        for token in tokens where token >= 0 { ids.append(Int(token)) }
    }
}

private struct Candidate {
    let rank: Int32
    let place: Int32
    let merged: Int32

    func precedes(_ other: Candidate) -> Bool { (rank, place) < (other.rank, other.place) }
}

/// A binary heap, the first candidate on top.
private struct CandidateHeap {
    private var items: [Candidate] = []

    mutating func push(_ item: Candidate) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].precedes(items[parent]) else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Candidate? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        if items.isEmpty { return top }
        items[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < items.count else { break }
            if child + 1 < items.count, items[child + 1].precedes(items[child]) { child += 1 }
            guard items[child].precedes(items[parent]) else { break }
            items.swapAt(child, parent)
            parent = child
        }
        return top
    }
}
