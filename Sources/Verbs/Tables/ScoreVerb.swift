import Interpreting
import ItemWork
import Metrics
import OpenedModels
import Results
import SourceText

/// `score`: figures of pictures, a row of measures for each group.
enum ScoreVerb {
    private typealias Metric = PictureScores.Metric
    /// The number of pictures, which is counted and not measured.
    private static let count = "n"

    private static let measures = Slot(
        "metrics", .choices(Metric.allCases.map(\.rawValue) + [count]), required: .positional, repeats: true,
        "what to measure")
    private static let against = Slot(
        "against", .table,
        """
        a table with real pictures: what distances and neighbours are to; without it the true pictures \
        of the table itself
        """)
    private static let by = Slot(
        "by", .columns, default: [], "a row for each value of these columns; `item` for each item")
    private static let column = Slot("column", .column, default: "generated", "the pictures to score")
    private static let truth = Slot(
        "truth", .column, default: "image", "the true pictures, in the table and in `against`")
    private static let using = Slot(
        "using", .list, default: [],
        """
        the networks to measure with: a model, a whole CLIP, Inception; else the scorer or the CLIP of \
        `model`
        """)
    private static let statistics = Slot(
        "statistics", .path,
        """
        a file with mean and covariance of Inception's features, .npz or .safetensors: written with \
        `against=`, read without it
        """)

    static let score = VerbDeclaration(
        "score", .tables,
        "Measures pictures: a row for each group, a column with its interval for each score.", input: .table,
        asArgument: true,
        slots: [measures, against, by, column, truth, using, statistics],
        notes: PictureScores.Metric.allCases.map { "`\($0.rawValue)`: \($0.summary)." } + [
            "`n`: the number of pictures.",
            """
            Every figure has the middle 95 % of 1,000 bootstrap replicates over the items as its \
            interval; groups of the same items share their draws, so that differences are paired. \
            Distances between sets are resampled by how each item moves them, to first order.
            """,
            """
            A table with the folder's `scorer/` is measured by that. The line below says with what, and \
            how well that network finds the texts of real pictures.
            """,
        ],
        columns: .listed(["by", "metrics"]),
        examples: [
            """
            model = load monsters; dataset monsters split=test | first 8 | encode image | decode | score \
            n clip clip_image psnr
            """,
            """
            model = load monsters; train = dataset monsters split=train | first 60; dataset monsters \
            split=test | first 40 | score mmd_clip nearest_clip column=image against=train
            """,
        ],
        computes: ["picture features", "text features"], readsModel: true,
        checks: { use in
            let metrics = (use[measures] ?? []).compactMap(Metric.init(rawValue:))
            if let metric = metrics.first(where: \.needsInception), !use.gives(using) {
                throw PictureScores.withoutInception(metric)
            }
            if let metric = metrics.first(where: \.needsAgainst), !use.gives(against) {
                throw PictureScores.withoutReference(metric)
            }
        }
    ) { invocation in
        let table = try invocation.table()
        let names = try metrics(invocation)
        let groups = try invocation[by].map { try invocation.column($0, of: table, slot: "by") }
        if let name = names.first(where: { name in groups.contains { $0.name == name } }) {
            throw Complaint(
                .columnExists, "`\(name)` is both a column of the table and a figure",
                label: "both would be the column `\(name)`", slot: "by",
                help: "`with` gives the table's column another name")
        }
        // Without columns all rows are one group, if there are any.
        let members =
            groups.isEmpty
            ? (table.rowCount > 0 ? [Array(0..<table.rowCount)] : [])
            : try RowGroups(groups, rowCount: table.rowCount).members
        let against = invocation[against]
        if let against, against.rowCount == 0 {
            throw Complaint(
                .emptyTable, "there is nothing to compare with: the table is empty", label: "no rows",
                slot: "against")
        }
        let standIns = invocation.session.standIns, trace = invocation.session.trace
        if let standIns, !standIns.computesScores {
            standIns.plan.add("score", cached: 0, missing: members.count)
        }
        if let standIns, case .plan = standIns.mode { return .table(unknown(names, groups, members)) }
        let scores = PictureScores(
            invocation, table, column: invocation[column], truth: invocation[truth], against: against,
            statistics: invocation[statistics],
            networks: try networks(invocation, names))
        // An unfinished group has no figure: one of what is there would pass for one of all.
        let isWhole = members.map { table.isWhole(groups, $0[0]) && against?.partial == nil }
        var stop: Table.Partial?
        var columns = groups.enumerated().map { index, column in
            Column(column.name, members.map { column.values[$0[0]] })
        }
        var resamplings: [[Int]: Resampling] = [:]
        for name in names {
            let values = try members.enumerated().map { index, rows -> Value in
                guard isWhole[index], stop == nil else { return .none }
                guard let metric = Metric(rawValue: name) else { return .number(Double(rows.count)) }
                let items = rows.map { table.items[$0] }
                let resampling = resamplings[items] ?? Resampling(items: items)
                resamplings[items] = resampling
                if let standIns, !standIns.computesScores {
                    if !metric.isOfSets { trace?.scored(name, try scores.known(metric, rows: rows)) }
                    return .none
                }
                do {
                    let estimate = try scores.estimate(metric, rows: rows)
                    if !metric.isOfSets { trace?.scored(name, estimate.items) }
                    return .measure(resampling.mean(estimate.items, items: items))
                } catch  where Stop.place(of: error) != nil {
                    let place = Stop.place(of: error) ?? ""
                    stop = .init(place: place.isEmpty ? name : place, kept: 0, total: members.count)
                    return .none
                } catch is WorkPlan.Gap {
                    // Scores of what the cache has, and some of it is not there.
                    standIns?.hasGap = true
                    return .none
                } catch  where !groups.isEmpty && !(error is Complaint) {
                    throw NotedError(
                        error,
                        note: groups.map { "\($0.name)=\($0.values[rows[0]].summary)" }.joined(
                            separator: ", "))
                }
            }
            columns.append(Column(name, values))
        }
        warn(names, members, invocation)
        var result = Table(
            columns: columns, rowCount: members.count,
            items: groups.map(\.name) == [Table.itemName] ? members.map { table.items[$0[0]] } : nil,
            recipes: members.map { rows in
                Recipe(invocation.step(), of: Array(rows.prefix(1).map { table.recipes[$0] }))
            })
        result.notes =
            try table.rowCount > 0 && stop == nil
            ? scores.notes(names.compactMap(Metric.init(rawValue:))) : []
        if stop != nil {
            stop?.kept = (0..<members.count).count { row in columns.allSatisfy { !$0.values[row].isNone } }
        }
        result.partial = table.partial ?? stop
        return .table(result)
    }

    /// Stands in for the figures while a run is planned.
    private static func unknown(_ names: [String], _ groups: [Column], _ members: [[Int]]) -> Table {
        let keys = groups.map { column in Column(column.name, members.map { column.values[$0[0]] }) }
        return Table(columns: keys + names.map { Column($0, Array(repeating: .none, count: members.count)) })
    }

    private static func metrics(_ invocation: Invocation) throws -> [String] {
        var names: [String] = []
        for name in invocation[measures] where !names.contains(name) {
            guard Metric(rawValue: name) != nil || name == count else {
                throw Complaint(
                    .unknownChoice, "`score` has no measure `\(name)`", label: "not known", slot: "metrics")
            }
            names.append(name)
        }
        return names
    }

    /// `using=` by kind, else what the variable `model` has.
    private static func networks(_ invocation: Invocation, _ names: [String]) throws -> PictureScores.Networks
    {
        var networks = PictureScores.Networks()
        func take(
            _ network: FeatureNetwork?, as place: WritableKeyPath<PictureScores.Networks, FeatureNetwork?>
        ) throws {
            guard networks[keyPath: place] == nil else {
                throw Complaint(
                    .wrongType, "`using` names two networks of one kind",
                    label: "which of them should measure?", slot: "using",
                    help: "score twice and `join` the tables")
            }
            networks[keyPath: place] = network
        }
        for value in invocation[using] {
            switch value {
            case .model(let handle as FeatureNetwork):
                try take(handle, as: handle.isClip ? \.clip : \.inception)
            case .model(let handle as LoadedModel): try take(handle.scorer ?? handle.clip, as: \.clip)
            default:
                throw Complaint(
                    .wrongType, "`using` takes networks, and this is \(value.kind.phrase)",
                    label: value.kind.phrase, slot: "using",
                    help: "`load NAME`, `load clip FOLDER` and `load inception FILE` give one")
            }
        }
        if networks.clip == nil, names.contains(where: { Metric(rawValue: $0)?.needsClip ?? false }) {
            if case .model(let handle)? = invocation.variable("model"), let model = handle as? LoadedModel {
                networks.clip = model.scorer ?? model.clip
            }
        }
        return networks
    }

    private static func warn(_ names: [String], _ members: [[Int]], _ invocation: Invocation) {
        let distances = names.filter { $0 == Metric.fid.rawValue || $0 == Metric.fdClip.rawValue }
        guard let smallest = members.map(\.count).min(), !distances.isEmpty else { return }
        if smallest < 2_000 {
            invocation.session.warn(
                """
                \(distances.joined(separator: " and ")) of \(smallest) pictures \
                \(distances.count == 1 ? "is" : "are") biased upwards: compare equal numbers of pictures \
                only (`help W004`)
                """
            )
        }
        if Set(members.map(\.count)).count > 1 {
            invocation.session.warn(
                """
                \(distances.joined(separator: " and ")): the groups have unequal numbers of pictures and \
                cannot be compared (`help W004`)
                """)
        }
    }
}
