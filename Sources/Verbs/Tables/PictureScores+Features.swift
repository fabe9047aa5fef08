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

/// What the networks see in the pictures and texts, each computed once.
extension PictureScores {
    static func withoutInception(_ metric: Metric) -> Complaint {
        Complaint(
            .missingModel, "`\(metric.rawValue)` is defined by the weights of Inception, and none are loaded",
            label: "no Inception", slot: "metrics",
            help:
                """
                `fd_clip` and `mmd_clip` compare sets by the model's own CLIP; `inception = load \
                inception FILE` and `using=inception` measure \(metric.rawValue)
                """
        )
    }

    static func withoutReference(_ metric: Metric) -> Complaint {
        Complaint(
            .missingArgument, "`\(metric.rawValue)` needs `against=`", label: "nearest to what?",
            slot: "metrics",
            help: "`against=train` tells how near the nearest training picture is")
    }

    func network(_ metric: Metric) throws -> FeatureNetwork {
        if metric.needsInception {
            guard let network = networks.inception else {
                throw Self.withoutInception(metric)
            }
            return network
        }
        guard let network = networks.clip else {
            throw Complaint(
                .missingModel, "`\(metric.rawValue)` needs a whole CLIP, and the model has none",
                label: "no CLIP", slot: "metrics",
                help: "`vit = load clip FOLDER` and `using=vit`")
        }
        return network
    }

    func once(_ key: String, _ make: () throws -> Tensor) rethrows -> Tensor {
        if let known = features[key] { return known }
        let made = try make()
        features[key] = made
        return made
    }

    func unit(_ key: String, _ features: () throws -> Tensor) throws -> DoubleMatrix {
        try matrix(key) { try ContrastiveScores.units(features()) }
    }

    func matrix(_ key: String, _ make: () throws -> DoubleMatrix) throws -> DoubleMatrix {
        if let known = matrices[key] { return known }
        let made = try make()
        matrices[key] = made
        return made
    }

    func pictures(_ name: String, of table: Table, slot: String? = nil) throws -> [Picture] {
        let cure = name == "generated" ? "put `decode` before it" : nil
        return try invocation.pictures(name, of: table, slot: slot, cure: cure)
    }

    func features(_ pictures: [Picture], _ metric: Metric, naming: ((Int) -> String)? = nil) throws
        -> Tensor
    {
        try network(metric).features(of: pictures, invocation.session, naming: naming)
    }

    func pictureFeatures(_ metric: Metric) throws -> Tensor {
        try once("pictures \(metric.needsInception)") {
            try features(pictures(column, of: table, slot: "column"), metric, naming: table.itemPhrase)
        }
    }

    /// Those of `against`, else the true pictures of the table, each item once.
    func referencePictures() throws -> [Picture] {
        if let against { return try pictures(truth, of: against, slot: "against") }
        var seen: Set<Int> = []
        return try pictures(
            truth, of: table.rows(table.items.indices.filter { seen.insert(table.items[$0]).inserted }),
            slot: "truth")
    }

    func referenceFeatures(_ metric: Metric) throws -> Tensor {
        try once("reference \(metric.needsInception)") { try features(referencePictures(), metric) }
    }

    func reference(_ metric: Metric) throws -> FrechetDistance.Side {
        if let side = sides[metric.needsInception] { return side }
        let side = try makeReference(metric)
        sides[metric.needsInception] = side
        return side
    }

    func kernel(_ metric: Metric, _ set: () throws -> (DoubleMatrix, KernelDistance.Kernel)) throws
        -> KernelDistance.Reference
    {
        if let known = kernels[metric] { return known }
        let (features, kernel) = try set()
        let made = try KernelDistance.Reference(features, kernel)
        kernels[metric] = made
        return made
    }

    func makeReference(_ metric: Metric) throws -> FrechetDistance.Side {
        let network = try network(metric), session = invocation.session
        let file = metric == .fid ? statistics : nil
        if let file, against == nil {
            let statistics = try FeatureStatistics(path: session.access.reading(file, slot: "statistics"))
            guard statistics.mean.count == network.width else {
                throw EngineError(
                    .shape,
                    "statistics of \(statistics.mean.count) features; \(network.name) gives \(network.width)",
                    place: file)
            }
            return try FrechetDistance.Side(statistics)
        }
        let pictures = try referencePictures()
        // Fewer pictures than features: their own rows are the smaller and the exact form.
        guard file != nil || pictures.count > network.width else {
            return try FrechetDistance.Side(DoubleMatrix(referenceFeatures(metric)))
        }
        let statistics = try network.statistics(of: pictures, session)
        if let file { try statistics.write(to: session.access.writing(file, slot: "statistics")) }
        return try pictures.count > network.width
            ? FrechetDistance.Side(statistics) : FrechetDistance.Side(DoubleMatrix(referenceFeatures(metric)))
    }

    func ownTexts() throws -> (distinct: [String], own: [Int]) {
        if let texts { return texts }
        var places: [String: Int] = [:], distinct: [String] = []
        let own = try invocation.texts("text", of: table).map { text -> Int in
            if let place = places[text] { return place }
            places[text] = distinct.count
            distinct.append(text)
            return distinct.count - 1
        }
        texts = (distinct, own)
        return (distinct, own)
    }

    func textFeatures(_ distinct: [String], _ own: [Int]) throws -> DoubleMatrix {
        try unit("texts") {
            try network(.clip).features(of: distinct, invocation.session) { [table] place in
                table.itemPhrase(own.firstIndex(of: place) ?? 0)
            }
        }
    }

    func recall(_ pictures: DoubleMatrix, _ top: Int, _ rows: [Int]) throws -> [Double] {
        let (distinct, own) = try ownTexts()
        let texts = try textFeatures(distinct, own)
        return try ContrastiveScores.recall(
            pictures: pictures.selecting(rows: rows), texts: texts, own: rows.map { own[$0] }, top: top)
    }
}
