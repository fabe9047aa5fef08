package import Interpreting

extension Session {
    /// Both values. A plan counts what each of them takes before a gap in one of them ends it.
    package func both<A, B>(_ first: () throws -> A, and second: () throws -> B) throws -> (A, B) {
        guard plan != nil else { return (try first(), try second()) }
        let found = Result { try first() }, other = Result { try second() }
        return (try found.get(), try other.get())
    }
}
