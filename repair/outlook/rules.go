package outlook

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// What applying adds to the actions of package wal.
const (
	ActionPanics wal.Action = "panics" // starts, and then ends in a panic
	ActionExits  wal.Action = "exits"  // starts, and then ends with a last log line
)

// ActionInfo describes an action.
type ActionInfo struct {
	Action wal.Action
	Doc    string // one line
}

// Actions returns all actions that an outlook may have, from the best to the worst.
func Actions() []ActionInfo {
	return []ActionInfo{
		{wal.ActionBoots, "reads and applies all of it"},
		{wal.ActionDropsEnd, "boots, but first cuts the end off"},
		{wal.ActionMisreads, "boots, and reads other entries than there are, without a word"},
		{ActionExits, "starts, and ends itself on applying an entry"},
		{ActionPanics, "starts, and panics on applying an entry"},
		{wal.ActionRefuses, "does not start"},
		{wal.ActionUnknown, "could not be told"},
	}
}

// trigger is something in the files that ends some releases.
type trigger string

const (
	triggerV2Request   trigger = "v2_request"
	triggerV2Custom    trigger = "v2_custom"
	triggerV2Content   trigger = "v2_content"
	triggerUndecodable trigger = "undecodable"
	triggerNoHeader    trigger = "no_header"
	triggerNotKnown    trigger = "request_unknown"
	triggerEntryType   trigger = "entry_type"
	triggerContext     trigger = "conf_context"
	triggerMemberID    trigger = "conf_member_id"
	triggerPeerURLs    trigger = "conf_peer_urls"
	triggerAttr        trigger = "member_unknown"
	triggerVersion     trigger = "cluster_version"
	triggerSnapVersion trigger = "snapshot_version"
	triggerStorage     trigger = "storage_version"
	triggerDowngrade   trigger = "downgrade_target"
	triggerRemoved     trigger = "removed"
	triggerNoVoters    trigger = "no_voters"
	triggerNoDatabase  trigger = "database_missing"
)

// TriggerInfo describes what a Stop's Trigger may be.
type TriggerInfo struct{ Trigger, Doc string }

// Triggers returns all that is known to end some release.
func Triggers() []TriggerInfo {
	return []TriggerInfo{
		{string(triggerV2Request), "a request of the v2 store"},
		{string(triggerV2Custom), "a request of the v2 store that etcd itself doesn't make"},
		{string(triggerV2Content), "keys of v2 clients in the .snap file"},
		{string(triggerUndecodable), "an entry that can't be decoded"},
		{string(triggerNoHeader), "a request without an ID"},
		{string(triggerNotKnown), "a request that the release doesn't know, not in the database yet"},
		{string(triggerEntryType), "ConfChangeV2, or a type of entry that raft doesn't have"},
		{string(triggerContext), "a membership change that describes no member"},
		{string(triggerMemberID), "a membership change that describes another member than it names"},
		{string(triggerPeerURLs), "a membership change with peer URLs that can't be read, or none"},
		{string(triggerAttr), "attributes of a member that there isn't"},
		{string(triggerVersion), "a cluster version above the release"},
		{string(triggerSnapVersion), "the same, in the .snap file"},
		{string(triggerStorage), "the same, so that the database is above the release too"},
		{string(triggerDowngrade), "a downgrade to another version is under way"},
		{string(triggerRemoved), "the member's own removal"},
		{string(triggerNoVoters), "the removal of the last voter"},
		{string(triggerNoDatabase), "a start from a snapshot, and no database"},
	}
}

// rule says what some releases do about a trigger.
type rule struct {
	trigger  trigger
	from, to string // releases, inclusive, as in wal.Outlook
	action   wal.Action
	words    string // what etcd says; %s stands for the decoder's error or the version
	advice   string
}

const (
	adviceV2 = "start etcd 3.6 on it first, with --snapshot-count 1, and write a few keys: " +
		"behind the snapshot that it then takes, 3.7 starts"
	adviceV2Custom = "3.5 is the last release that takes requests of the v2 store: have it take a " +
		"snapshot behind them (--snapshot-count 1 and a few writes), without keys of v2 clients left"
	adviceV2Content = "delete the v2 keys under etcd 3.5 and have it take a snapshot, or start 3.6 " +
		"with --v2-deprecation=write-only-skip-check, which ignores them"
	adviceStuck = "no restart gets past this: replace the member from its cluster, or restore a " +
		"snapshot of its database"
	adviceNotKnown = "put member/snap/db back from a copy of this member, or start the release that " +
		"wrote the log"
	adviceVersion = "start the release of the cluster's version, or a later one; " +
		"to go back, use etcdctl downgrade"
	adviceRemoved = "the member was removed from its cluster: add it again as a new member, with an " +
		"empty data directory"
	adviceNoDatabase = "put member/snap/db back from a copy of this member, or replace the member"
	adviceDowngrade  = "start the release that the downgrade goes to, or cancel it from a member " +
		"that runs"
)

const (
	wordsUnmarshal = "unmarshal should never fail (%s)"
	words34Version = "cluster cannot be downgraded (current version: … is lower than determined " +
		"cluster version: %s)"
	wordsDowngrade = "invalid downgrade; server version is lower than determined cluster version"
	wordsRemoved   = "the member has been permanently removed from the cluster"
	wordsNilHeader = "invalid memory address or nil pointer dereference"
	wordsNoSnapDB  = "failed to find database snapshot file (snap: snapshot file doesn't exist)"
	wordsV2WAL     = "detected disallowed v2 WAL for stage --v2-deprecation=write-only"
	wordsV2Content = "detected disallowed custom content in v2store for stage " +
		"--v2-deprecation=write-only"
)

// rules holds what is known about what ends which release, each seen on real servers.
var rules = []rule{
	{triggerV2Request, "3.7", "3.7", ActionPanics, wordsUnmarshal, adviceV2},
	{triggerV2Custom, "3.6", "3.6", ActionPanics, wordsV2WAL, adviceV2Custom},
	{triggerV2Content, "3.6", "3.6", wal.ActionRefuses, wordsV2Content, adviceV2Content},

	{triggerUndecodable, "3.4.0", "3.7", ActionPanics, wordsUnmarshal, adviceStuck},
	{triggerNoHeader, "3.4.0", "3.5", ActionPanics, wordsNilHeader, adviceStuck},
	{triggerNoHeader, "3.6", "3.6", ActionPanics,
		"applyEntryNormal, could not find a header", adviceStuck},
	{triggerNoHeader, "3.7", "3.7", ActionPanics, "Apply, could not find a header", adviceStuck},
	{triggerNotKnown, "3.4.0", "3.4", ActionPanics, "not implemented", adviceNotKnown},
	{triggerNotKnown, "3.5.0", "3.7", ActionPanics, "not implemented apply", adviceNotKnown},
	{triggerEntryType, "3.4.0", "3.4", ActionPanics,
		"entry type should be either EntryNormal or EntryConfChange", adviceStuck},
	{triggerEntryType, "3.5.0", "3.7", ActionPanics,
		"unknown entry type; must be either EntryNormal or EntryConfChange", adviceStuck},
	{triggerContext, "3.4.0", "3.4", ActionPanics,
		"unmarshal confChangeContext should never fail", adviceStuck},
	{triggerContext, "3.5.0", "3.5", ActionPanics,
		"failed to unmarshal confChangeContext", adviceStuck},
	{triggerContext, "3.6", "3.7", ActionPanics, "failed to unmarshal", adviceStuck},
	{triggerMemberID, "3.4.0", "3.4", ActionPanics,
		"nodeID should always be equal to member ID", adviceStuck},
	{triggerMemberID, "3.5.0", "3.7", ActionPanics, "got different member ID", adviceStuck},
	{triggerPeerURLs, "3.4.0", "3.4", ActionPanics, "should never fail", adviceStuck},
	{triggerPeerURLs, "3.5.0", "3.7", ActionPanics, "failed NewURLs", adviceStuck},
	{triggerAttr, "3.4.0", "3.4", ActionPanics,
		"error updating attributes of unknown member %s", adviceStuck},
	{triggerAttr, "3.5.0", "3.7", ActionPanics, "failed to update; member unknown", adviceStuck},

	{triggerVersion, "3.4.0", "3.4", ActionExits,
		words34Version, adviceVersion},
	{triggerVersion, "3.5.0", "3.5", ActionExits, wordsDowngrade, adviceVersion},
	{triggerVersion, "3.6", "3.7", ActionPanics, wordsDowngrade, adviceVersion},
	{triggerDowngrade, "3.5.0", "3.5", ActionExits, "invalid downgrade; server version is not " +
		"allowed to join when downgrade is enabled", adviceDowngrade},
	{triggerSnapVersion, "3.4.0", "3.4", wal.ActionRefuses,
		words34Version, adviceVersion},
	{triggerSnapVersion, "3.5.0", "3.5", wal.ActionRefuses, wordsDowngrade, adviceVersion},
	// The database follows the cluster's version within seconds; until then, it is as above.
	{triggerStorage, "3.6", "3.6", wal.ActionRefuses,
		`version "%s.0" is not supported`, adviceVersion},

	{triggerRemoved, "3.4.0", "3.7", ActionExits, wordsRemoved, adviceRemoved},
	{triggerNoVoters, "3.4.0", "3.7", ActionPanics, "removed all voters", adviceStuck},
	{triggerNoDatabase, "3.4.0", "3.7", ActionPanics, wordsNoSnapDB, adviceNoDatabase},
}

// ruleFor returns what the releases of an outlook do about a trigger; nil if they go on.
func ruleFor(t trigger, o *wal.Outlook) *rule {
	for i := range rules {
		span := wal.Outlook{From: rules[i].from, To: rules[i].to}
		if rules[i].trigger == t && span.Holds(o.From) {
			return &rules[i]
		}
	}
	return nil
}

// stop returns how a release ends by the rule.
func (r *rule) stop(detail string) *Stop {
	s := &Stop{Trigger: string(r.trigger), Action: r.action, Words: r.words, Advice: r.advice}
	if containsVerb(r.words) {
		s.Words = fmt.Sprintf(r.words, detail)
	}
	return s
}
