package import Interpreting
package import Results
package import Tensors

extension Invocation {
    /// A column's texts, one for each row.
    package func texts(_ name: String, of table: Table, slot: String? = nil, cure: String? = nil) throws
        -> [String]
    {
        try column(name, of: table, slot: slot, cure: cure).values.enumerated().map { row, value in
            guard case .text(let text) = value else { throw Self.other(name, row, value, "a text", slot) }
            return text
        }
    }

    /// A column's pictures, one for each row.
    package func pictures(_ name: String, of table: Table, slot: String? = nil, cure: String? = nil) throws
        -> [Picture]
    {
        try column(name, of: table, slot: slot, cure: cure).values.enumerated().map { row, value in
            guard case .picture(let picture) = value else {
                throw Self.other(name, row, value, "a picture", slot)
            }
            return picture
        }
    }

    private static func other(_ name: String, _ row: Int, _ value: Value, _ wanted: String, _ slot: String?)
        -> Complaint
    {
        Complaint(
            .wrongType, "row \(row) of `\(name)` is \(value.kind.phrase)", label: "\(wanted) is needed",
            slot: slot)
    }

    /// Whether numbers that are none can only come of an error: a walk through a program stands in with them
    /// for what it leaves out.
    package func mustBeFinite(_ tensor: Tensor) -> Bool { session.standIns == nil || !tensor.isUnknown }
}
