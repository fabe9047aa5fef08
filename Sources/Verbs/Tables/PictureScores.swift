import Files
import Interpreting
import ItemWork
import LinearAlgebra
import Metrics
import Models
import OpenedModels
import Results
import SourceText
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The scores of pictures. Features are computed once for a whole table and its reference; each group of rows
/// then gives an estimate, whose parts per item make the interval.
final class PictureScores {
    enum Metric: String, Sendable, CaseIterable {
        case fid, kid
        case fdClip = "fd_clip"
        case mmdClip = "mmd_clip"
        case clip
        case clipImage = "clip_image"
        case recall1 = "recall_1"
        case recall5 = "recall_5"
        case nearestClip = "nearest_clip"
        case nearestPixel = "nearest_pixel"
        case psnr

        var needsInception: Bool { self == .fid || self == .kid }

        var needsClip: Bool { !needsInception && self != .nearestPixel && self != .psnr }

        /// Whether it is the distance to something that `against=` gives.
        var needsAgainst: Bool { self == .nearestPixel || self == .nearestClip }

        /// Whether it compares sets, and thus means nothing for one picture.
        var isOfSets: Bool { [.fid, .kid, .fdClip, .mmdClip].contains(self) }

        /// What it is, for help.
        var summary: String {
            switch self {
            case .fid:
                """
                Fréchet distance of Inception's features, as pytorch-fid measures it; biased below 2,000 \
                pictures, so that only equal numbers compare
                """
            case .kid: "kernel distance of Inception's features (KID, unbiased)"
            case .fdClip: "Fréchet distance of CLIP's picture features"
            case .mmdClip:
                """
                squared maximum mean discrepancy of CLIP's picture features, Gaussian kernel, times 1,000 \
                (CMMD, here without its bias)
                """
            case .clip: "cosine of picture and text"
            case .clipImage: "cosine of picture and true picture"
            case .recall1:
                "share of pictures for which the right caption comes first among all texts of the table"
            case .recall5: "share of pictures for which the right caption is among the first five"
            case .nearestClip: "cosine to the nearest picture of `against`: how much is copied"
            case .nearestPixel:
                "root of the mean squared difference to the nearest picture of `against`, pixels in 0...1"
            case .psnr: "decibels of the picture against the true one"
            }
        }
    }

    let invocation: Invocation
    let table: Table
    let column: String
    let truth: String
    let against: Table?
    let networks: Networks
    /// A file of statistics that stands for the reference, or takes them.
    let statistics: String?

    /// What was found once, by what it is of.
    var features: [String: Tensor] = [:]
    var matrices: [String: DoubleMatrix] = [:]
    var sides: [Bool: FrechetDistance.Side] = [:]
    var kernels: [Metric: KernelDistance.Reference] = [:]
    var texts: (distinct: [String], own: [Int])?

    /// The networks that scores use.
    struct Networks {
        var clip: FeatureNetwork?
        var inception: FeatureNetwork?
    }

    init(
        _ invocation: Invocation, _ table: Table, column: String, truth: String, against: Table?,
        statistics: String?, networks: Networks
    ) {
        (self.invocation, self.table, self.column, self.truth) = (invocation, table, column, truth)
        (self.against, self.statistics, self.networks) = (against, statistics, networks)
    }

    /// The score of some rows. A pair of equal pictures has infinitely many decibels; no other score is
    /// infinite, and none is NaN.
    func estimate(_ metric: Metric, rows: [Int]) throws -> Estimate {
        let estimate = try unchecked(metric, rows: rows)
        guard invocation.session.standIns == nil else { return estimate }
        func isNumber(_ value: Double) -> Bool { value.isFinite || (metric == .psnr && value == .infinity) }
        if !metric.isOfSets, let place = zip(rows, estimate.items).first(where: { !isNumber($1) })?.0 {
            throw NumberFailures.failure("`\(metric.rawValue)`", at: table.itemPhrase(place))
        }
        guard isNumber(estimate.value) else {
            throw EngineError(.numbers, "`\(metric.rawValue)` of these pictures holds NaN or infinity")
        }
        return estimate
    }

    private func unchecked(_ metric: Metric, rows: [Int]) throws -> Estimate {
        guard !metric.isOfSets || rows.count >= 2 else {
            throw Complaint(
                .outOfRange,
                """
                `\(metric.rawValue)` compares sets, and this group has \(rows.count) \
                \(rows.count == 1 ? "picture" : "pictures")
                """,
                label: "at least 2 are needed", slot: "metrics")
        }
        switch metric {
        case .fid, .fdClip:
            let rows = DoubleMatrix(try pictureFeatures(metric)).selecting(rows: rows)
            return try FrechetDistance.estimate(rows, against: reference(metric))
        case .kid:
            return try KernelDistance.estimate(
                DoubleMatrix(pictureFeatures(metric)).selecting(rows: rows),
                against: kernel(metric) { try (DoubleMatrix(referenceFeatures(metric)), .cubic) })
        case .mmdClip:
            let reference = try kernel(metric) {
                try (unit("reference") { try referenceFeatures(metric) }, .gaussian(deviation: 10))
            }
            return try KernelDistance.estimate(
                unit("pictures") { try pictureFeatures(metric) }.selecting(rows: rows), against: reference
            ).scaled(by: 1_000)
        case .psnr: return Estimate(items: try psnr(rows))
        case .nearestPixel: return Estimate(items: try nearestPixel(rows))
        case .clip:
            let (distinct, own) = try ownTexts()
            let texts = try textFeatures(distinct, own)
            return Estimate(
                items: try ContrastiveScores.cosines(
                    unit("pictures") { try pictureFeatures(metric) }.selecting(rows: rows),
                    texts.selecting(rows: rows.map { own[$0] })))
        case .clipImage:
            let real = try unit("truth") {
                try self.features(
                    self.pictures(self.truth, of: self.table), metric, naming: self.table.itemPhrase)
            }
            return Estimate(
                items: try ContrastiveScores.cosines(
                    unit("pictures") { try pictureFeatures(metric) }.selecting(rows: rows),
                    real.selecting(rows: rows)))
        case .recall1, .recall5:
            return Estimate(
                items: try recall(
                    unit("pictures") { try pictureFeatures(metric) }, metric == .recall1 ? 1 : 5, rows))
        case .nearestClip:
            try checkAgainst(metric)
            let reference = try unit("reference") { try referenceFeatures(metric) }
            return Estimate(
                items: try ContrastiveScores.nearest(
                    unit("pictures") { try pictureFeatures(metric) }.selecting(rows: rows), in: reference))
        }
    }

    /// The scores of those pictures among the rows that were computed, one by one.
    func known(_ metric: Metric, rows: [Int]) throws -> [Double?] {
        let pictures = try pictures(column, of: table, slot: "column")
        let known = rows.indices.filter { !pictures[rows[$0]].isUnknown }
        var values = [Double?](repeating: nil, count: rows.count)
        guard !known.isEmpty else { return values }
        for (place, value) in zip(known, try estimate(metric, rows: known.map { rows[$0] }).items) {
            values[place] = value
        }
        return values
    }

    func checkAgainst(_ metric: Metric) throws {
        if against == nil { throw Self.withoutReference(metric) }
    }

    /// Which networks measured, how pictures came to them, and what they find themselves.
    func notes(_ metrics: [Metric]) throws -> [String] {
        var notes: [String] = []
        if metrics.contains(where: \.needsClip), let network = networks.clip {
            var note = "measured with \(network.summary)"
            if metrics.contains(where: { [.clip, .recall1, .recall5].contains($0) }),
                table.column(truth)?.kind == .image, table.column("text") != nil
            {
                let real = try unit("truth") {
                    try self.features(
                        self.pictures(self.truth, of: self.table), .clip, naming: self.table.itemPhrase)
                }
                // Each item once, however many points a sweep had.
                var seen: Set<Int> = []
                let rows = table.items.indices.filter { seen.insert(table.items[$0]).inserted }
                func share(_ top: Int) throws -> String {
                    let found = try recall(real, top, rows)
                    return NumberFormat.brief(100 * found.reduce(0, +) / Double(max(1, found.count)))
                }
                note += """
                    ; picks the right caption first for \(try share(1)) % of the \(rows.count) real \
                    pictures, among its top five for \(try share(5)) %
                    """
            }
            notes.append(note)
        }
        if metrics.contains(where: \.needsInception), let network = networks.inception {
            notes.append("measured with \(network.summary)")
        }
        return notes
    }

    // MARK: Pixels

    /// A row per picture, [pictures, 3 x height x width] in 0...1; all must have one size.
    func pixels(_ name: String, of table: Table, slot: String) throws -> DoubleMatrix {
        try matrix("pixels \(slot)") {
            let all = try pictures(name, of: table, slot: slot).map { try $0.pixels() }
            if let row = all.firstIndex(where: { !$0.isFinite && invocation.mustBeFinite($0) }) {
                throw NumberFailures.failure("the picture in `\(name)`", at: table.itemPhrase(row))
            }
            guard let size = all.first?.shape else {
                throw Complaint(.emptyTable, "there are no pictures in `\(name)`", label: "no rows")
            }
            if let other = all.first(where: { $0.shape != size }) {
                throw EngineError(
                    .shape,
                    """
                    pictures of \(size[2]) x \(size[1]) and of \(other.shape[2]) x \(other.shape[1]) \
                    pixels cannot be compared pixel by pixel
                    """)
            }
            return DoubleMatrix(Tensor.stacked(all).reshaped([all.count, size.reduce(1, *)]))
        }
    }

    private func psnr(_ rows: [Int]) throws -> [Double] {
        let made = try pixels(column, of: table, slot: "column"),
            real = try pixels(truth, of: table, slot: "truth")
        guard made.columns == real.columns else {
            throw EngineError(.shape, "the pictures of `\(column)` and `\(truth)` have different sizes")
        }
        return rows.map { row in
            let squares = zip(made.row(row), real.row(row)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return -10 * log10(squares / Double(made.columns))
        }
    }

    private func nearestPixel(_ rows: [Int]) throws -> [Double] {
        try checkAgainst(.nearestPixel)
        guard let against else { return [] }
        let made = try pixels(column, of: table, slot: "column").selecting(rows: rows)
        let reference = try pixels(truth, of: against, slot: "against")
        return try SquaredDistances.nearest(made, in: reference).map {
            ($0 / Double(made.columns)).squareRoot()
        }
    }
}
