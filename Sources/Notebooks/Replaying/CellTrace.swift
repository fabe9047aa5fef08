import Files
import Interpreting
import Results
import Tensors

/// The pictures that a cell decodes and their scores one by one, in order: as a notebook's lock keeps them,
/// and as a replay finds them.
package struct CellTrace: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        package var item: Int
        /// The row of a `denoise` that it comes from; nil where it comes from none.
        package var from: RowTag?
        /// Digest of the 8-bit pixels; nil where the picture was not computed.
        package var pixels: String?
    }

    package struct Score: Codable, Equatable, Sendable {
        package var metric: String
        /// One per picture of a group; nil where the picture was not computed, or the score is no number.
        package var values: [Double?]
    }

    package var pictures: [Row]
    package var scores: [Score]?

    /// nil where there is nothing to keep.
    init?(_ trace: PictureTrace) throws {
        guard !trace.entries.isEmpty || !trace.scores.isEmpty else { return nil }
        var digests: [ObjectIdentifier: String] = [:]
        pictures = try trace.entries.map { entry in
            let known = digests[ObjectIdentifier(entry.picture)]
            let digest = try known ?? (entry.picture.isUnknown ? nil : Self.digest(entry.picture))
            digests[ObjectIdentifier(entry.picture)] = digest
            return Row(item: entry.item, from: entry.tag, pixels: digest)
        }
        let scores = trace.scores.map {
            Score(metric: $0.metric, values: $0.values.map { $0.flatMap(Self.rounded) })
        }
        self.scores = scores.isEmpty ? nil : scores
    }

    private static func digest(_ picture: Picture) throws -> String {
        let bitmap = try picture.bitmap()
        return String(
            try Digest.sha256(
                Array("\(bitmap.width) \(bitmap.height) \(bitmap.channels) ".utf8) + bitmap.samples
            ).prefix(16))
    }

    /// More digits than `verify` compares.
    private static func rounded(_ value: Double) -> Double? {
        value.isFinite ? (value * 1e6).rounded() / 1e6 : nil
    }

    /// With other names of the cells that its rows come from.
    func renamed(_ names: [String: String]) -> CellTrace {
        var copy = self
        for index in copy.pictures.indices {
            guard let cell = copy.pictures[index].from?.cell, let name = names[cell] else { continue }
            copy.pictures[index].from?.cell = name
        }
        return copy
    }

    // MARK: Comparing

    package struct Comparison: Sendable {
        /// Pictures that were computed and compared.
        package var pictures = 0
        package var scores = 0
        package var differences: [OutputComparison.Difference] = []
    }

    /// What of `computed`, in which some pictures may be left out, differs from this; nil where the two do
    /// not hold the same rows.
    func comparison(with computed: CellTrace) -> Comparison? {
        guard computed.pictures.count == pictures.count,
            (computed.scores ?? []).map(\.values.count) == (scores ?? []).map(\.values.count)
        else { return nil }
        var result = Comparison()
        for (stored, new) in zip(pictures, computed.pictures) {
            guard let digest = new.pixels else { continue }
            result.pictures += 1
            if digest != stored.pixels || new.item != stored.item {
                let place =
                    stored.from.map { ", row \($0.row) of `denoise` \($0.turn + 1) in cell \($0.cell)," }
                    ?? ""
                result.differences.append(
                    .init(
                        reason:
                            "the picture of item \(stored.item)\(place) has other pixels than the lock says"))
            }
        }
        for (stored, new) in zip(scores ?? [], computed.scores ?? []) {
            for (index, pair) in zip(stored.values, new.values).enumerated() {
                guard let value = pair.1 else { continue }
                result.scores += 1
                let old = pair.0 ?? .nan
                if !(abs(value - old) <= OutputComparison.relativeTolerance * max(abs(value), abs(old))) {
                    result.differences.append(
                        .init(
                            reason: """
                                \(stored.metric) of picture \(index) is \(NumberFormat.plain(value)), the lock \
                                says \(NumberFormat.plain(old))
                                """))
                }
            }
        }
        return result
    }
}
