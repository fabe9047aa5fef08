import Interpreting
import ItemWork
import OpenedModels
import Results
import Retrieval
import SourceText
import Tensors

/// `retrieve`: the nearest rows of another table.
enum RetrieveVerb {
    /// What a row is compared by.
    private enum By: String, CaseIterable, Sendable { case text, image, random }

    private static let source = Slot(
        "table", .table, required: .positional, role: .otherTable, "where to look")
    private static let by = Slot(
        "by", .choice(By.self), default: .text,
        "the row's text against the table's texts or pictures, or drawn without looking")
    private static let top = Slot(
        "top", .whole, default: 1, in: 1...10_000, "how many; each gives a row, and all share the item")
    private static let prefix = Slot(
        "as", .name, default: "near", role: .namesResult, "what the new columns begin with")
    fileprivate static let network = Slot(
        "using", .model, "another model than the variable `model`, or a whole CLIP")

    static let retrieve = VerbDeclaration(
        "retrieve", .diffusion,
        "Finds for each row the nearest rows of a table, by the cosine of their CLIP embeddings.",
        input: .table,
        slots: [source, by, top, prefix, network, Seeds.slot],
        adds: ["AS.item", "AS.rank", "AS.similarity", "AS.*"],
        notes: [
            """
            The embeddings are the projected ones of the model's own CLIP; where it has none, the pooled \
            ones of its text encoder. Rows without a text but with an image are compared by that.
            """
        ],
        columns: .kept,
        examples: [
            """
            model = load monsters; train = dataset monsters split=train; "a red dragon" | retrieve train \
            top=3 | select near.text near.similarity | table
            """,
            """
            model = load monsters; train = dataset monsters split=train; dataset monsters split=test | \
            first 4 | retrieve train | grid image,near.image
            """,
        ], computes: ["text features", "picture features", "text encoder"]
    ) { invocation in
        let table = try invocation.table()
        let source = invocation[source], top = invocation[top], prefix = invocation[prefix]
        guard source.rowCount > 0 else {
            throw Complaint(
                .emptyTable, "there is nothing to retrieve from: the table is empty", label: "no rows",
                slot: "table")
        }
        if let partial = source.partial {
            throw Complaint(
                .partialValue, "the table to look in is not finished, and what is nearest could be missing",
                label: partial.message, slot: "table")
        }
        try Reckoning.rows(
            MemoryBudget.product([table.rowCount, min(top, source.rowCount)]),
            columns: table.columns.count + source.columns.count + 3, fresh: 3,
            hasOwnRecipes: true, of: "retrieve")
        let found: [[Neighbour]]
        var stop: Table.Partial?
        do {
            found = try neighbours(table, source, top: top, invocation)
        } catch is WorkPlan.Gap {
            return .table(try unknown(table, source, top: min(top, source.rowCount), prefix, invocation))
        } catch {
            // Nothing is nearest before all of the table was looked at.
            guard let place = Stop.place(of: error) else { throw error }
            found = []
            stop = table.finished([]).partial
            if !place.isEmpty { stop?.place = place }
        }
        let pairs = found.enumerated().flatMap { row, neighbours in
            neighbours.enumerated().map { (row, $0.offset, $0.element) }
        }
        var result = table.rows(pairs.map(\.0))
        func add(_ name: String, _ values: [Value]) throws {
            try invocation.add(Column(prefix + "." + name, values), to: &result)
        }
        try add("item", pairs.map { .number(Double(source.items[$0.2.row])) })
        try add("rank", pairs.map { .number(Double($0.1 + 1)) })
        try add("similarity", pairs.map { $0.2.similarity.isNaN ? .none : .number($0.2.similarity) })
        for column in source.columns { try add(column.name, pairs.map { column.values[$0.2.row] }) }
        result.partial = stop ?? table.partial
        let step = invocation.step()
        result.set(recipes: pairs.map { Recipe(step, of: [table.recipes[$0.0], source.recipes[$0.2.row]]) })
        return .table(result)
    }

    /// Stands in for what was found while a run is planned and the embeddings are not there: rows of the
    /// right columns, pictures that nobody knows.
    private static func unknown(
        _ table: Table, _ source: Table, top: Int, _ prefix: String, _ invocation: Invocation
    ) throws -> Table {
        var result = table.rows((0..<table.rowCount).flatMap { Array(repeating: $0, count: top) })
        func add(_ name: String, _ value: (Int) throws -> Value) throws {
            try invocation.add(Column(prefix + "." + name, (0..<result.rowCount).map(value)), to: &result)
        }
        try add("item") { _ in .number(0) }
        try add("rank") { .number(Double($0 % top + 1)) }
        try add("similarity") { _ in .number(.nan) }
        for column in source.columns {
            guard case .picture(let picture)? = column.values.first else {
                try add(column.name) { _ in column.values[0] }
                continue
            }
            let shape = try picture.pixels().shape
            try add(column.name) { _ in .picture(Picture(values: .unknown(shape), isStandIn: true)) }
        }
        return result
    }

    private static func neighbours(_ table: Table, _ source: Table, top: Int, _ invocation: Invocation) throws
        -> [[Neighbour]]
    {
        guard table.rowCount > 0 else { return [] }
        let session = invocation.session
        let by = invocation[by]
        if by == .random {
            SeedWatch.note(invocation, base: Seeds.base(invocation), items: table.items)
            return try table.items.map { item in
                let seed = UInt64(truncatingIfNeeded: Seeds.base(invocation) &+ item)
                return try RandomNeighbours.rows(of: source.rowCount, top: top, seed: seed).map {
                    Neighbour(row: $0, similarity: .nan)
                }
            }
        }
        func texts(_ table: Table, slot: String? = nil) throws -> [String] {
            try invocation.texts("text", of: table, slot: slot)
        }
        func pictures(_ table: Table, slot: String? = nil) throws -> [Picture] {
            try invocation.pictures("image", of: table, slot: slot)
        }
        guard let network = try invocation.featureNetwork() else {
            let model = try invocation.model()
            guard table.has("text"), by == .text else {
                throw EngineError(
                    .unsupported, "\(model.name) has no whole CLIP to look at pictures with",
                    place: model.model.folder,
                    cure: "`retrieve TABLE by=text` compares texts, and `using=` takes a whole CLIP")
            }
            let (queries, keys) = try session.both {
                try model.features(of: texts(table), in: session, naming: table.itemPhrase)
            } and: {
                try model.features(of: texts(source, slot: "table"), in: session, naming: source.itemPhrase)
            }
            return try EmbeddingIndex(EmbeddingRows(keys)).nearest(queries, top: top)
        }
        let (queries, keys) = try session.both {
            table.has("text")
                ? try network.features(of: texts(table), session, naming: table.itemPhrase)
                : try network.features(of: pictures(table), session, naming: table.itemPhrase)
        } and: {
            by == .text
                ? try network.searchable(texts(source, slot: "table"), session, naming: source.itemPhrase)
                : try network.searchable(pictures(source, slot: "table"), session, naming: source.itemPhrase)
        }
        return try EmbeddingIndex(keys).nearest(queries, top: top)
    }
}

extension Invocation {
    /// The network that texts and pictures are compared with: `using=` where it is one, else the whole CLIP
    /// of the model; nil if that has none.
    func featureNetwork() throws -> FeatureNetwork? {
        guard let network = self[RetrieveVerb.network] as? FeatureNetwork else { return try model().clip }
        guard network.isClip else {
            throw Complaint(
                .otherModel, "`\(verb.name)` compares by a CLIP, and \(network.name) is none",
                label: "Inception", slot: "using")
        }
        return network
    }
}
