// Package etcdapi serves etcd's gRPC API from a member: what etcd 3.7 answers, with its errors.
//
//	client --- gRPC ---> interceptors      is there a leader, is this a learner
//	                          |
//	                       service         a file each: kv, lease, cluster, maintenance, auth, watch, …
//	                          |
//	     +--------------------+--------------------+
//	     | change             | read               | the member itself
//	     v                    v                    v
//	checks of the request   user's permissions   node.Status, node.Snapshot, …
//	node.Propose            node.Read, unless
//	     |                  serializable
//	     |                    |
//	     |                  state machine
//	     |                    |
//	     |                  have users or roles changed meanwhile?
//	     v                    v
//	result of the entry     result
//	     +--------------------+
//	                          |
//	                   header, error table
//
// # Who may do what
//
// A change carries its user in its header, and the state machine of each member judges it when it applies the
// entry: it is then that users and roles are the same everywhere. What isn't in the log is judged here: reads,
// keys of leases, changes of the membership, compactions, and most of the maintenance.
//
// # Errors
//
// An error of the node or of etcd's libraries becomes the status that etcd's clients know, by one table
// (errors.go). An error that isn't in it is code Unknown with its text.
//
// # What etcd checks and is not checked here
//
// etcd answers "not capable" where the cluster's version is none that it knows. The state machine doesn't take
// such a version in the first place.
package etcdapi
