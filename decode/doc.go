// Package decode tells what the entries of a Raft log mean to a person: what a request asks for, in
// one line or as JSON, and which keys it touches.
//
// A [Decoder] reads entries into a [Request]. The default one, [Payload], knows what etcd 3.4 to
// 3.7 proposes: InternalRaftRequest, the Request of the old v2 store, membership changes with the
// member in their context, and the empty entry of a new leader. It walks over the wire bytes by
// tables of the messages, strictly: a known field with another wire type makes the payload
// something else, as it does in etcd up to 3.6. Other decoders read payloads of other programs: see
// [Formats].
//
// What a request does with keys, also within transactions, is [Request.Accesses]; [Request.Match]
// asks for operations and keys at once. [Members] follows the membership through the entries of a log,
// and tells who proposed one: [Members.AppendWho]. [Tally] counts entries.
//
// [Clock] tells when entries were written, which their records don't: by the times in what they store.
//
// # JSON
//
// [Request.AppendJSON] writes one object, whose members are stable:
//
//   - Names are those of etcd's messages in snake case: {"put":{"key":"a",…},"header":{…}}. A v2
//     request stands under v2, a membership change under conf_change or conf_change_v2. Fields that
//     are absent on the wire are absent, but for those without which the request can't be
//     understood: result and target of a compare, action of an alarm, perm_type of a
//     permission, enabled of a downgrade.
//   - IDs of members, leases and requests are strings of hex digits as etcd prints them.
//   - Other integers are numbers if their magnitude is at most 2^53, and strings of decimal digits
//     beyond that.
//   - Enums are the names that etcd's schema gives them, or a number if it gives none.
//   - Keys are strings. Bytes that are no UTF-8 stand under the name with _base64 appended.
//   - Values and other payloads come with their size as NAME_size, and, as [Values] has it, with
//     all their bytes as NAME, or their first ones as NAME_prefix where there are more than 256,
//     each with _base64 appended where they are no UTF-8. Objects that Kubernetes stored are named
//     by NAME_kubernetes; of those in protobuf, and of encrypted ones, the bytes are shown only where
//     all are asked for.
//   - Passwords and tokens, in plain text or hashed, are "[redacted]" unless [Style] says
//     otherwise. So are the secrets in values, and NAME_redacted is true where some are left out.
//   - The ID of a request is followed by member_suffix, the last four hex digits of the ID of the
//     member that proposed it, and server_started, when its process started: see [Origin].
//   - A context of a membership change stands under member if it is a member, else under context.
//   - Fields that the tables don't have are listed in unknown_fields with number, wire type and
//     size.
//
// # Secrets
//
// Values are shown without the secrets in them. A value is a secret altogether if its key says so
// (/registry/secrets/…, /app/token, db-password), or if Kubernetes keeps secrets in objects of its kind,
// in protobuf, JSON or YAML; what is encrypted is named, and none. In other values the fields of JSON,
// YAML, XML, INI files, environments and command lines are secrets whose names say so, and so is what
// looks like one: JSON web tokens, private keys in PEM, hashes of passwords, passwords in addresses, and
// tokens in the forms of widespread services. A value that is no text and has one in it isn't shown at
// all. [AppendMasked] knows the same secrets.
//
// All of that errs on the side of hiding. It can't know a secret that looks like nothing in particular
// under a key that says nothing.
//
// [AppendValue], [AppendValueJSON] and [DiffValues] show values that are not in requests: those of a
// database.
//
// # Text
//
// Nothing that comes from a payload reaches a terminal as anything but printable characters:
// control characters, C1 and bidi controls included, are escaped, in JSON too.
package decode
