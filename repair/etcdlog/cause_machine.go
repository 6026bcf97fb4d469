package etcdlog

// machineCauses are about the machine that the server runs on.
var machineCauses = []Cause{
	{
		Name: "disk_full", Fatal: true,
		Words:   []string{"no space left on device", "disk quota exceeded", "file too large"},
		Means:   "the disk is full; what was written last may be incomplete",
		Classes: []string{"torn_end", "short_tail", "page", "truncated", "stale_spare"},
		Advice:  "make room outside the data directory (delete nothing in it), then check the files before etcd is started again",
	},
	{
		Name: "disk_error", Fatal: true,
		Words:   []string{"input/output error", "read-only file system", "structure needs cleaning"},
		Means:   "the disk doesn't read or write any more",
		Classes: []string{"unchecked", "payload", "corrupt", "page"},
		Advice:  "copy what can be read at once, see dmesg, and check the copy",
	},
	{
		Name: "in_use", Fatal: true,
		Words:   []string{"file already locked", "db file is flocked by another process", "another etcd process is using"},
		Means:   "another process holds the files: an etcd runs on them already",
		Classes: nil,
		Advice:  "find it with fuser -v DIR/member/snap/db; a container that was not stopped, or the same --data-dir twice",
		info:    true,
	},
	{
		Name: "address", Fatal: true,
		Words:   []string{"address already in use", "cannot assign requested address"},
		Means:   "the address that etcd shall listen on is taken, or is not one of this machine",
		Classes: nil,
		Advice:  "find who has it with ss -ltnp; perhaps another etcd runs already",
	},
	{
		Name: "permission", Fatal: true,
		Words: []string{"open …: permission denied", "mkdir …: permission denied", "cannot access data directory",
			"error listing data dir", "failed to list data directory", "stat …: permission denied"},
		Means:   "etcd may not read or write its data directory",
		Classes: []string{"unchecked"},
		Advice:  "look at owner and mode, with ls -lan: files that were copied or restored by root belong to root",
	},
	{
		Name: "memory", Fatal: true,
		Words: []string{"Out of memory: Killed process … (etcd)", "oom-kill", "OOMKilled", "out of memory", "cannot allocate memory",
			"killed by the OOM killer"},
		Means:   "the machine, or the container, ran out of memory, and etcd was killed",
		Classes: nil,
		Advice:  "raise the limit: etcd needs the size of its database and more",
	},
	{
		Name: "slow_disk",
		Words: []string{"slow fdatasync", "sync duration of … expected less than", "failed to send out heartbeat on time",
			"server is likely overloaded"},
		Means:   "the disk takes too long to write, so that leaders change and requests time out; nothing is damaged by it",
		Classes: nil,
		Advice:  "give etcd a disk of its own; measure it with fio, or the metric etcd_disk_wal_fsync_duration_seconds",
	},
	{
		Name:    "slow",
		Words:   []string{"apply request took too long", "took too long (…to execute"},
		Means:   "requests take long; nothing is damaged by it",
		Classes: nil,
		Advice:  "look for a slow disk, too little CPU, or clients that ask for very much at once",
	},
}
