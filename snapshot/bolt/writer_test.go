package bolt_test

const writerVar = "BOLT_TEST_WRITER"

func writeForEver(string) {}
