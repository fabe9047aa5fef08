import Interpreting
import Results
import SourceText

/// `compare`: how far rows of measures lie from one of them.
enum CompareVerb {
    private static let baseline = Slot("baseline", .condition, required: .named, "which row to compare with")

    static let compare = VerbDeclaration(
        "compare", .tables,
        "Gives the differences of each row's measures to those of a chosen row, with paired intervals.",
        input: .table,
        asArgument: true, slots: [baseline],
        notes: [
            """
            Rows that are of the same items share their bootstrap draws, so that what the items have in \
            common cancels. An interval that leaves out zero is a difference that the items support.
            """,
            """
            Where the condition holds for several rows, each row is compared with the one that agrees \
            with it in the other columns.
            """,
        ],
        columns: .kept,
        examples: [
            """
            model = load monsters; t = dataset monsters split=test | first 8; r = sweep k=1,2 { t | with \
            generated=(t[k].image) }; s = r | score clip by=k; compare s baseline=(k == 1)
            """,
            """
            model = load monsters; t = dataset monsters split=test | first 8 | encode image | decode; \
            both = sweep what="real","decoded" { t | with shown=(if(what == "real", image, generated)) \
            }; both | score clip column=shown by=what | compare baseline=(what == "real")
            """,
        ]
    ) { invocation in
        let table = try invocation.table()
        // Figures that were left out have no differences.
        if invocation.session.standIns != nil, !table.columns.contains(where: { $0.kind == .measure }) {
            return .table(table)
        }
        let condition = invocation[baseline]
        guard table.columns.contains(where: { $0.kind == .measure }) else {
            throw Complaint(
                .missingColumn, "this table has no measures",
                label: "columns: " + table.columnNames.joined(separator: " "), help: "`score` makes measures")
        }
        let chosen = try (0..<table.rowCount).filter { try Arithmetic.truth(condition(table, row: $0)) }
        guard !chosen.isEmpty else {
            throw Complaint(
                .outOfRange, "the condition holds for no row", label: "no row to compare with",
                slot: "baseline")
        }
        guard chosen.count < table.rowCount else {
            throw Complaint(
                .outOfRange, "the condition holds for every row", label: "nothing is left to compare",
                slot: "baseline")
        }
        let keys = table.columns.filter {
            ![.measure, .none, .mixed, .image, .latent, .embedding, .tensor].contains($0.kind)
        }
        let identities = try Dictionary(keys.map { ($0.name, try $0.values.map { try $0.identity() }) }) {
            first, _ in first
        }
        func key(_ column: Column, _ row: Int) -> ValueIdentity { identities[column.name]?[row] ?? .none }
        // What tells the chosen rows apart is what the others must share with theirs.
        let apart = keys.filter { column in Set(chosen.map { key(column, $0) }).count > 1 }
        func partner(_ row: Int) throws -> Int {
            let candidates = chosen.filter { other in apart.allSatisfy { key($0, row) == key($0, other) } }
            guard candidates.count == 1 else {
                let place = apart.map { "\($0.name)=\($0.values[row].summary)" }.joined(separator: ", ")
                throw Complaint(
                    .outOfRange,
                    """
                    \(candidates.count) rows to compare with\(place.isEmpty ? "" : " at \(place)"), \
                    where one is needed
                    """,
                    label: "the condition holds for \(chosen.count) rows", slot: "baseline")
            }
            return candidates[0]
        }
        let partners = try (0..<table.rowCount).map { try chosen.contains($0) ? nil : partner($0) }
        let rows = partners.indices.filter { partners[$0] != nil }
        var result = table.rows(rows)
        for column in table.columns where column.kind == .measure {
            let values = try rows.map { row in
                try Arithmetic.combine(.subtract, column.values[row], column.values[partners[row] ?? row])
            }
            result.set(Column(column.name, values))
        }
        result.record(invocation.step())
        let named = keys.filter { column in
            !apart.contains { $0.name == column.name }
                && Set(table.items.indices.map { key(column, $0) }).count > 1
        }
        let place =
            chosen.first.map { first in
                named.map { "\($0.name)=\($0.values[first].summary)" }.joined(separator: ", ")
            } ?? ""
        let baseline = place.isEmpty ? "the chosen row" : place
        result.baseline = baseline
        result.notes = ["differences to \(baseline)"] + table.notes
        return .table(result)
    }
}
