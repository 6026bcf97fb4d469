package doctorcmd

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// found is a place where an etcd of this machine has its files.
type found struct {
	dir, walDir string
	by          string // what tells
}

// Settings that say where an etcd has its files, and folders where it usually has them.
var (
	manifests = []string{
		"/etc/kubernetes/manifests/etcd.yaml",                 // kubeadm, kind, minikube
		"/etc/kubernetes/manifests/etcd-pod.yaml",             // OpenShift
		"/var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml", // RKE2
	}
	configs = []string{
		"/etc/etcd/etcd.conf.yml", "/etc/etcd/etcd.conf.yaml", "/etc/etcd.conf.yml",
		"/var/lib/rancher/k3s/server/db/etcd/config", "/var/lib/rancher/rke2/server/db/etcd/config",
		"/var/snap/etcd/common/etcd.conf.yml",
	}
	environments = []string{"/etc/default/etcd", "/etc/etcd/etcd.conf", "/etc/etcd.env", "/etc/sysconfig/etcd", "/etc/conf.d/etcd"}
	units        = []string{"/etc/systemd/system/etcd.service", "/usr/lib/systemd/system/etcd.service", "/lib/systemd/system/etcd.service"}
	usual        = []struct{ dir, of string }{
		{"/var/lib/etcd", "etcd, kubeadm, OpenShift, Talos"},
		{"/var/lib/etcd/default", "etcd of Debian"},
		{"/var/lib/etcd/default.etcd", "etcd of Red Hat"},
		{"/var/lib/rancher/k3s/server/db/etcd", "k3s"},
		{"/var/lib/rancher/rke2/server/db/etcd", "RKE2"},
		{"/var/lib/k0s/etcd", "k0s"},
		{"/var/lib/minikube/etcd", "minikube"},
		{"/var/lib/docker/volumes/minikube/_data/lib/minikube/etcd", "minikube in Docker"},
		{"/var/snap/microk8s/common/var/run/etcd", "MicroK8s"},
		{"/var/snap/k8s/common/var/lib/etcd", "Canonical Kubernetes"},
		{"/var/snap/etcd/current", "the snap of etcd"},
	}
)

// dqlite is where MicroK8s keeps its state, which is none of etcd's.
const dqlite = "/var/snap/microk8s/current/var/kubernetes/backend"

// finder looks for the files of this machine's etcds.
type finder struct {
	a    *ui.App
	list []found
}

// find returns where etcds of this machine have their files, what was set for this very shell first.
func (f *finder) find() []found {
	a := f.a
	f.add(a.Getenv("ETCD_DATA_DIR"), a.Getenv("ETCD_WAL_DIR"), "ETCD_DATA_DIR")
	if len(f.list) > 0 {
		return f.list
	}
	for _, name := range manifests {
		f.manifest(name)
	}
	for _, name := range configs {
		f.config(name)
	}
	for _, name := range environments {
		f.environment(name)
	}
	for _, name := range units {
		f.unit(name)
	}
	for _, u := range usual {
		f.add(f.rooted(u.dir), "", "where "+u.of+" has it")
	}
	f.add("default.etcd", "", "in this folder, where etcd without a --data-dir has it")
	return f.list
}

// rooted returns a path of the machine.
func (f *finder) rooted(name string) string {
	if f.a.Root == "" || name == "" {
		return name
	}
	return filepath.Join(f.a.Root, name)
}

// add adds a data directory, if there is one that isn't known yet.
func (f *finder) add(dir, walDir, by string) {
	if dir == "" || !f.isMember(dir) && (walDir == "" || !f.exists(walDir)) {
		return
	}
	same := func(x found) bool {
		a, errA := os.Stat(f.a.Path(x.dir))
		b, errB := os.Stat(f.a.Path(dir))
		return errA == nil && errB == nil && os.SameFile(a, b)
	}
	if !slices.ContainsFunc(f.list, same) {
		f.list = append(f.list, found{dir, walDir, by})
	}
}

// isMember reports whether a folder is a data directory, or may be one that isn't to be looked into.
func (f *finder) isMember(dir string) bool {
	_, err := os.Stat(f.a.Path(filepath.Join(dir, "member")))
	return err == nil || os.IsPermission(err)
}

func (f *finder) exists(name string) bool {
	_, err := os.Stat(f.a.Path(name))
	return err == nil
}

// read returns a file of the machine; nil if it isn't there, or is more than settings are.
func (f *finder) read(name string) []byte {
	const most = 1 << 20
	info, err := os.Stat(f.rooted(name))
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return nil
	}
	b, err := fs.ReadFile(os.DirFS(filepath.Dir(f.rooted(name))), filepath.Base(name))
	if err != nil {
		return nil
	}
	return b
}

var (
	dataFlag = regexp.MustCompile(`--data-dir[= ]["']?([^\s"']+)`)
	walFlag  = regexp.MustCompile(`--wal-dir[= ]["']?([^\s"']+)`)
)

// flagsIn returns the directories that a command line names.
func flagsIn(text string) (dir, walDir string) {
	if m := dataFlag.FindStringSubmatch(text); m != nil {
		dir = m[1]
	}
	if m := walFlag.FindStringSubmatch(text); m != nil {
		walDir = m[1]
	}
	return dir, walDir
}

// manifest reads the manifest of a static pod. Its flags name folders of the container, and its volumes say
// which of the machine these are.
func (f *finder) manifest(name string) {
	b := f.read(name)
	if b == nil {
		return
	}
	dir, walDir := flagsIn(string(b))
	var pod struct {
		Spec struct {
			Containers []struct {
				VolumeMounts []struct {
					Name      string `yaml:"name"`
					MountPath string `yaml:"mountPath"`
				} `yaml:"volumeMounts"`
			} `yaml:"containers"`
			Volumes []struct {
				Name     string                `yaml:"name"`
				HostPath struct{ Path string } `yaml:"hostPath"`
			} `yaml:"volumes"`
		} `yaml:"spec"`
	}
	_ = yaml.Unmarshal(b, &pod) // what can't be read maps nothing
	hosts := map[string]string{}
	for _, v := range pod.Spec.Volumes {
		hosts[v.Name] = v.HostPath.Path
	}
	mapped := func(inside string) string {
		for _, c := range pod.Spec.Containers {
			for _, m := range c.VolumeMounts {
				rel, err := filepath.Rel(m.MountPath, inside)
				if host := hosts[m.Name]; host != "" && err == nil && inside != "" && filepath.IsLocal(rel) {
					return filepath.Join(host, rel)
				}
			}
		}
		return inside
	}
	f.add(f.rooted(mapped(dir)), f.rooted(mapped(walDir)), name)
}

// config reads a configuration file of etcd.
func (f *finder) config(name string) {
	var c struct {
		DataDir string `yaml:"data-dir"`
		WalDir  string `yaml:"wal-dir"`
	}
	if b := f.read(name); b != nil && yaml.Unmarshal(b, &c) == nil {
		f.add(f.rooted(c.DataDir), f.rooted(c.WalDir), name)
	}
}

// environment reads a file of environment variables.
func (f *finder) environment(name string) {
	values := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(string(f.read(name))))
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export "), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	f.add(f.rooted(values["ETCD_DATA_DIR"]), f.rooted(values["ETCD_WAL_DIR"]), name)
}

// unit reads a unit of systemd.
func (f *finder) unit(name string) {
	b := f.read(name)
	dir, walDir := flagsIn(string(b))
	for line := range strings.Lines(string(b)) {
		_, value, ok := strings.Cut(line, "ETCD_DATA_DIR=")
		if ok && dir == "" {
			dir, _, _ = strings.Cut(strings.Trim(strings.TrimSpace(value), `"'`), `"`)
		}
	}
	f.add(f.rooted(dir), f.rooted(walDir), name)
}

// notFound says that no etcd was found.
func (f *finder) notFound() string {
	text := "no PATH, and no etcd was found on this machine, neither by ETCD_DATA_DIR, nor by settings of etcd or " +
		"manifests of static pods, nor where etcd, kubeadm, OpenShift, Talos, k3s, RKE2, k0s, minikube and MicroK8s have it"
	if f.exists(f.rooted(dqlite)) {
		text += "; MicroK8s has its state in dqlite here, which is none of etcd's"
	}
	return text
}
