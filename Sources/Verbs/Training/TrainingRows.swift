import Caching
import Files
import Interpreting
import ItemWork
import Results
import SourceText
import Tensors

/// What a table gives a training: its captions and pictures, checked before any work begins.
struct TrainingRows {
    /// One per row; empty where the training does not need them.
    let texts: [String]
    /// Each `[3, height, width]` in 0...1, all of one size.
    let pictures: [Tensor]
    let items: [Int]

    init(_ table: Table, _ invocation: Invocation, texts needsTexts: Bool) throws {
        texts = needsTexts ? try Self.texts(table, invocation) : []
        items = table.items
        let shown = try invocation.pictures(
            "image", of: table, slot: "on", cure: "`fit` learns from a table with the column `image`")
        pictures = try shown.enumerated().map { row, picture in
            do {
                return try picture.pixels()
            } catch { throw NotedError(error, note: table.itemPhrase(row)) }
        }
        guard let first = pictures.first else { return }
        if let other = pictures.firstIndex(where: { $0.shape != first.shape }) {
            func size(_ tensor: Tensor) -> String { "\(tensor.shape[2]) x \(tensor.shape[1])" }
            throw Complaint(
                .differentLengths,
                """
                pictures of different sizes: item \(items[0]) has \(size(first)) pixels, item \
                \(items[other]) \(size(pictures[other]))
                """,
                label: "all must be of one size", slot: "on",
                help: "`dataset NAME size=64` gives pictures of one size")
        }
    }

    static func texts(_ table: Table, _ invocation: Invocation) throws -> [String] {
        try invocation.texts(
            "text", of: table, slot: "on",
            cure: "`fit` learns from a table with captions in the column `text`")
    }

    /// Rows to learn from and rows held out: equal captions stay together, and the choice follows from the
    /// caption alone.
    static func split(_ texts: [String], share: Double) throws -> (learnt: [Int], heldOut: [Int]) {
        guard share > 0 else { return (Array(texts.indices), []) }
        var learnt: [Int] = [], heldOut: [Int] = []
        for (row, text) in texts.enumerated() {
            let digest = try Digest.sha256("held out: " + text).prefix(8)
            let place = Double(UInt32(digest, radix: 16) ?? 0) / 0x1p32
            if place < share { heldOut.append(row) } else { learnt.append(row) }
        }
        return (learnt, heldOut)
    }

    /// Everything of the rows that a result depends on.
    func add(to builder: inout ItemKeyBuilder) {
        for text in texts { builder.add("text", text) }
        for picture in pictures { builder.add("picture", picture) }
    }
}
