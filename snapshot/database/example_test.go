package database_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/raftctl/raftctl/snapshot/database"
)

func ExampleOpen() {
	ctx := context.Background()
	db, err := database.Open(ctx, os.DirFS("testdata"), "small.db", database.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }() // opened for reading
	for kv, err := range db.Keys(ctx, database.Query{Revision: 3}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s = %s, of revision %d\n", kv.Key, kv.Value, kv.ModRevision)
	}
	// Output:
	// a = 1, of revision 2
	// b = 2, of revision 3
}
