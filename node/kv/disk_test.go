package kv_test

import "context"

func contextOf() context.Context { return context.Background() }
func holdProcess(args []string) error { return nil }
func fullProcess(args []string) error { return nil }
