// Package secret finds secrets in what people keep in a store: passwords, tokens, private keys. It
// tells by names, those of keys and of fields in JSON, YAML, XML, INI files, environments and command
// lines, and by the look of the secrets themselves.
//
// It would rather take something harmless for a secret than miss one: whoever hides a thing in vain
// costs a flag, whoever shows one in error costs a password.
package secret
