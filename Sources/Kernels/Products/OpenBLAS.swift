internal import COpenBLAS

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// BLAS and LAPACK of libopenblas on plain pointers, one thread to a call: products are cut into parts by us,
/// the same whatever the number of threads, and given to the pool.
///
/// Unchecked Sendable: addresses of functions of a library that stays open.
package struct OpenBLAS: @unchecked Sendable {
    private let functions: nb_openblas

    /// Nil where it is not installed. Opened at the first use.
    package static let installed: OpenBLAS? = {
        var functions = nb_openblas()
        return nb_find_openblas(&functions) == 1 ? OpenBLAS(functions: functions) : nil
    }()

    // MARK: Room

    /// Each call that runs takes a buffer of this size, of addresses more than of memory. Where there is no
    /// room for one the library tries for ever, so it is asked for before.
    private static let bufferSize = 136 << 20

    /// Whether the library has its first buffer, which it keeps.
    private static let hasBuffer: Bool = {
        guard let installed, isRoom(for: 1) else { return false }
        var product = 0.0
        installed.multiply(
            [1], rows: 1, stride: 1, byTransposed: [1], rows: 1, stride: 1, length: 1, into: &product,
            stride: 1)
        return true
    }()

    private static func isRoom(for buffers: Int) -> Bool {
        let size = buffers * bufferSize
        let found = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let found, found != MAP_FAILED else { return false }
        munmap(found, size)
        return true
    }

    /// Whether it can be called at all, by one thread at a time.
    package static var hasRoom: Bool { hasBuffer }

    /// Calls `body`, which calls the library, once for each of 0..<chunks: on all threads, or where there is
    /// no room for a buffer each, on one.
    package static func run(_ chunks: Int, _ body: (Int) -> Void) {
        let threads = min(chunks, ThreadPool.shared.threadCount)
        if threads > 1, isRoom(for: threads - 1) { return ThreadPool.shared.run(chunks, body) }
        for chunk in 0..<chunks { body(chunk) }
    }

    // MARK: Products, all row by row

    /// c = a · bᵀ.
    package func multiply(
        _ a: UnsafePointer<Double>, rows m: Int, stride aStride: Int, byTransposed b: UnsafePointer<Double>,
        rows n: Int, stride bStride: Int,
        length: Int, into c: UnsafeMutablePointer<Double>, stride cStride: Int
    ) {
        functions.dgemm(
            Int32(nb_row_major), Int32(nb_as_is), Int32(nb_transposed), Int32(m), Int32(n), Int32(length), 1,
            a,
            Int32(aStride), b, Int32(bStride), 0, c, Int32(cStride))
    }

    /// c = a · b, or with `adding` what c holds and that.
    func multiply(
        _ a: UnsafePointer<Float>, rows m: Int, stride aStride: Int, by b: UnsafePointer<Float>,
        columns n: Int, stride bStride: Int, length: Int,
        adding: Bool, into c: UnsafeMutablePointer<Float>, stride cStride: Int
    ) {
        functions.sgemm(
            Int32(nb_row_major), Int32(nb_as_is), Int32(nb_as_is), Int32(m), Int32(n), Int32(length), 1, a,
            Int32(aStride), b, Int32(bStride), adding ? 1 : 0, c, Int32(cStride))
    }

    // MARK: Decompositions

    /// The largest matrix: LAPACK counts its room for eigenvectors, 2 n², in 32 bits.
    package static let largest = 32_000

    /// The eigenvalues of a symmetric `[n, n]`, ascending. `matrix` is lost; with `wantsVectors` row i of it
    /// becomes the eigenvector of value i.
    /// - Returns: nil where they are not found, as of NaN.
    package func eigenvalues(of matrix: UnsafeMutablePointer<Double>, _ n: Int, wantsVectors: Bool)
        -> [Double]?
    {
        guard n > 0 else { return [] }
        var size = Int32(n), info: Int32 = 0
        let job = wantsVectors ? "V" : "N"
        var values = [Double](repeating: 0, count: n)
        var work = [0.0], whole: [Int32] = [0], workSize: Int32 = -1, wholeSize: Int32 = -1
        // Asks for the room, then computes.
        for _ in 0..<2 {
            functions.dsyevd(
                job, "L", &size, matrix, &size, &values, &work, &workSize, &whole, &wholeSize, &info, 1, 1)
            guard workSize == -1 else { break }
            (workSize, wholeSize) = (Int32(work[0]), whole[0])
            work = [Double](repeating: 0, count: Int(workSize))
            whole = [Int32](repeating: 0, count: Int(wholeSize))
        }
        return info == 0 ? values : nil
    }

    /// Cholesky's decomposition with diagonal pivoting (Higham 1990) of a positive semidefinite `[n, n]`,
    /// until all that is left of the diagonal is at most `tolerance`: row k of `matrix` becomes row k of the
    /// factor from column k on, its columns in the order of the pivots.
    /// - Returns: the order, whole, and the rank.
    package func pivotedCholesky(of matrix: UnsafeMutablePointer<Double>, _ n: Int, tolerance: Double) -> (
        order: [Int], rank: Int
    ) {
        guard n > 0 else { return ([], 0) }
        var size = Int32(n), rank: Int32 = 0, info: Int32 = 0, tolerance = tolerance
        var pivots = [Int32](repeating: 0, count: n), work = [Double](repeating: 0, count: 2 * n)
        functions.dpstrf("L", &size, matrix, &size, &pivots, &rank, &tolerance, &work, &info, 1)
        return (pivots.map { Int($0) - 1 }, Int(rank))
    }

    /// Solves Fᵀ q = x for each of some rows x, in place; F as `pivotedCholesky` leaves it, `[rank, width]`
    /// with `stride` from row to row.
    package func solve(
        _ factor: UnsafePointer<Double>, rank: Int, stride: Int, _ x: UnsafeMutablePointer<Double>, rows: Int
    ) {
        functions.dtrsm(
            Int32(nb_column_major), Int32(nb_left), Int32(nb_lower), Int32(nb_as_is),
            Int32(nb_not_unit), Int32(rank), Int32(rows), 1, factor, Int32(stride), x, Int32(rank))
    }
}
