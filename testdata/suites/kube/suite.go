// Package kube names the packages of Kubernetes' storage layer whose tests run against a member of ours, so that
// this module requires what they need.
package kube

import (
	_ "k8s.io/apiserver/pkg/storage/etcd3"
	_ "k8s.io/apiserver/pkg/storage/etcd3/testing"
)
