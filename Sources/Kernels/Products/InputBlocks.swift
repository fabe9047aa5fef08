/// The k of a product in blocks that keep the part of two panels in a core's own caches: whole segments, or
/// parts of one long segment.
struct InputBlocks {
    struct Block {
        /// The first segment, and how many.
        var segment: Int
        var segments: Int
        /// Of each of them from `offset` on `length` values.
        var offset: Int
        var length: Int
        /// The first k and how many from there on.
        var first: Int
        var inputs: Int
    }

    let segments: Int
    let length: Int
    private let start: Int
    private let segmentsTogether: Int
    private let lengthTogether: Int
    private let parts: Int
    let count: Int

    /// - Parameter start: the matrix's input that is the first one here.
    init(segments: Int, length: Int, from start: Int = 0) {
        (self.segments, self.length, self.start) = (segments, length, start)
        // Long ones, as each begins with sums that are read again: of 256 k wide vectors reach 96 % of what
        // they do of 1,024.
        let block = RowTiles.wide ? 1024 : 512
        segmentsTogether = max(1, block / length)
        lengthTogether = length <= block + block / 2 ? length : block
        parts = (length + lengthTogether - 1) / lengthTogether
        count = parts * ((segments + segmentsTogether - 1) / segmentsTogether)
    }

    /// The most k of a block.
    var mostInputs: Int { max(segmentsTogether * length, lengthTogether) }

    subscript(index: Int) -> Block {
        let segment = index / parts * segmentsTogether, offset = index % parts * lengthTogether
        let group = min(segmentsTogether, segments - segment), part = min(lengthTogether, length - offset)
        return Block(
            segment: segment, segments: group, offset: offset, length: part,
            first: start + segment * length + offset, inputs: (group - 1) * length + part)
    }
}
