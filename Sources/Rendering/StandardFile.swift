#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writing to standard output and standard error. Nothing is buffered here, so that the two keep their order on a terminal.
package enum StandardFile {
    /// Writes all of `text`. Where the reader of a pipe has gone away the process ends quietly, as a filter should.
    package static func write(_ text: String, to descriptor: CInt) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                #if canImport(Glibc)
                let wrote = Glibc.write(descriptor, base + done, bytes.count - done)
                #else
                let wrote = Darwin.write(descriptor, base + done, bytes.count - done)
                #endif
                if wrote < 0 {
                    if errno == EINTR { continue }
                    if errno == EAGAIN {
                        usleep(1000)
                        continue
                    }
                    if errno == EPIPE { exit(0) }
                    return
                }
                done += wrote
            }
        }
    }
}
