import Testing

/// The program as a process that others kill, interrupt, run twice or leave without room. One test at a time:
/// each looks at the clock.
@Suite("The program as a process", .serialized) enum ProcessTests {}
