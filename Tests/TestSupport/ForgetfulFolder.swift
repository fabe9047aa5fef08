import Rendering

/// Takes files and forgets them.
package struct ForgetfulFolder: OutputFolder {
    package init() {}

    package func keep(_ bytes: [UInt8], kind: String) throws -> String { "test.out/\(bytes.count).\(kind)" }
}
