//go:build !linux

package vfs

func isMount(string) (bool, error) { return false, nil }
