package repair

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// checkStart tells what the release that the cluster runs does with the files, if it doesn't start on them as
// they are, and what the next one does.
func (x *examination) checkStart(context.Context) {
	r := x.Report
	if r == nil {
		x.unchecked(CheckStart, "", "without the log nothing tells what etcd does with the files")
		return
	}
	unknown := func(o outlook.Outlook) bool { return o.Action == wal.ActionUnknown }
	if len(r.Outlooks) == 0 || slices.ContainsFunc(r.Outlooks, unknown) {
		x.unchecked(CheckStart, "", "what some releases of etcd do with the files could not be told")
	}
	told := func(f Finding) bool { return f.Check == CheckStart && f.Severity == verdict.Error }
	if !slices.ContainsFunc(x.findings, told) {
		x.checkOwn()
	}
	x.checkNext()
}

// own returns the outlook of the release that the cluster runs, by the log or else by the database; nil if
// neither says.
func (x *examination) own() *outlook.Outlook {
	if x.Report.Own != nil || x.Database == nil {
		return x.Report.Own
	}
	major, minor, ok := minorOf(x.Database.Meta.ClusterVersion)
	if !ok {
		return nil
	}
	return x.Report.Outlook(fmt.Sprintf("%d.%d", major, minor))
}

// minorOf returns the first two numbers of a version.
func minorOf(version string) (major, minor int, ok bool) {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, errMajor := strconv.Atoi(parts[0])
	minor, errMinor := strconv.Atoi(parts[1])
	return major, minor, errMajor == nil && errMinor == nil
}

// checkOwn adds that the log isn't read, or not all of it, by the release that the cluster runs: by all of
// them if that isn't known.
func (x *examination) checkOwn() {
	own := x.own()
	if own == nil {
		refuses := func(o outlook.Outlook) bool { return o.Action == wal.ActionRefuses }
		list := outlook.Fold(x.Report.Outlooks)
		if len(list) > 0 && !slices.ContainsFunc(list, func(o outlook.Outlook) bool { return !refuses(o) }) {
			own = &list[len(list)-1]
		}
	}
	loss := x.Report.Loss()
	switch {
	case own != nil && own.Stop != nil:
		x.add(Finding{Class: string(outlook.ClassEtcdStop), Severity: verdict.Error, Check: CheckStart, Evidence: own.String(),
			Advice: own.Stop.Advice})
	case own != nil && own.Action == wal.ActionRefuses:
		x.add(Finding{Class: string(wal.ClassEtcdStart), Severity: verdict.Error, Check: CheckStart, Evidence: own.String(),
			Next: []string{"wal", "repair", x.Name}})
	case own != nil && len(own.Read.Lost) > 0:
		x.addLoss(&own.Read)
	case own == nil && loss != nil:
		x.addLoss(&loss.Outlook)
	}
}

func (x *examination) addLoss(o *wal.Outlook) {
	x.add(Finding{Class: ClassStartLoses, Severity: verdict.Error, Check: CheckStart, Evidence: o.String(),
		Advice: "don't start etcd before the log is repaired: what it cuts off or overwrites is gone then", Next: []string{"wal", "repair", x.Name}})
}

// checkNext adds that the next release of etcd ends on the files, where the one that the cluster runs doesn't.
func (x *examination) checkNext() {
	own := x.own()
	if own == nil || own.Stop != nil || own.Action == wal.ActionRefuses {
		return
	}
	major, minor, ok := minorOf(own.Read.To)
	if !ok {
		return
	}
	next := fmt.Sprintf("%d.%d", major, minor+1)
	for i := range x.Report.Outlooks {
		o := &x.Report.Outlooks[i]
		omajor, ominor, ok := minorOf(o.Read.From)
		if !ok || o.Stop == nil || omajor != major || ominor <= minor {
			continue
		}
		f := Finding{Class: ClassUpgradeTrap, Severity: verdict.Info, Check: CheckStart, Evidence: o.String(),
			Advice: o.Stop.Advice}
		if strings.HasPrefix(o.Stop.Trigger, "v2_") {
			f.Next = []string{"wal", "repair", x.Name, "--start", o.Read.To}
		}
		if o.Read.Holds(next) {
			f.Severity = verdict.Warning
		}
		if o.Stop.Entry.Index > 0 {
			f.File, f.Off = o.Stop.Pos.Segment, o.Stop.Pos.Off
			f.Entries = wal.IndexRange{First: o.Stop.Entry.Index, Last: o.Stop.Entry.Index}
		}
		x.add(f)
	}
}
