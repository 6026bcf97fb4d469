package secret

import "bytes"

// trigger is what a secret, or the name of one, has in it, so that the rest needn't be looked at
// closely. In a pattern letters stand for both cases, a hyphen for an underscore too, and a question
// mark for any byte.
type trigger struct {
	pattern string
	rule    rule
	tokens  []token
}

// rule says what is looked at where a pattern was found.
type rule uint8

const (
	ruleNone   rule = iota // only for tokens
	ruleName               // the name that it is part of
	ruleEscape             // a name with escapes
	ruleJWT
	rulePEM
	ruleHash
	ruleURL
	ruleAt // what precedes an address of Go's database drivers
	ruleScheme
)

// token is what tokens of one service look like: a prefix and at least min characters.
type token struct {
	prefix string
	min    int
	back   int // where in the prefix the pattern begins
}

var theMachine = newMachine([]trigger{
	{"pas", ruleName, nil},
	{"pwd", ruleName, nil},
	{"sec", ruleName, []token{{"whsec_", 8, 2}, {"AGE-SECRET-KEY-", 8, 4}}},
	{"tok", ruleName, nil},
	{"key", ruleName, nil},
	{"cre", ruleName, nil},
	{"aut", ruleName, nil},
	{"coo", ruleName, nil},
	{"jwt", ruleName, nil},
	{"otp", ruleName, nil},
	{"psk", ruleName, nil},
	{"mne", ruleName, nil},
	{`\u0`, ruleEscape, nil},
	{"eyj", ruleJWT, nil},
	{"egin", rulePEM, nil},
	{"$", ruleHash, nil},
	{"://", ruleURL, nil},
	{"@tc", ruleAt, nil},
	{"@un", ruleAt, nil},
	{"bea", ruleScheme, nil},
	{"bas", ruleScheme, nil},
	{"gh?-", ruleNone, []token{
		{"ghp_", 16, 0}, {"gho_", 16, 0}, {"ghu_", 16, 0}, {"ghs_", 16, 0}, {"ghr_", 16, 0}}},
	{"pat-", ruleNone, []token{
		{"github_pat_", 16, 7}, {"dckr_pat_", 8, 5}, {"shpat_", 16, 2}, {"glpat-", 8, 2}}},
	{"xox", ruleNone, []token{{"xoxa-", 8, 0}, {"xoxb-", 8, 0}, {"xoxe-", 8, 0}, {"xoxe.", 8, 0},
		{"xoxo-", 8, 0}, {"xoxp-", 8, 0}, {"xoxr-", 8, 0}, {"xoxs-", 8, 0}}},
	{"akia", ruleNone, []token{{"AKIA", 12, 0}}},
	{"asia", ruleNone, []token{{"ASIA", 12, 0}}},
	{"iza", ruleNone, []token{{"AIza", 20, 1}}},
	{"sk-", ruleNone, []token{{"sk-", 16, 0}, {"sk_live_", 8, 0}, {"sk_test_", 8, 0}}},
	{"sg.", ruleNone, []token{{"SG.", 16, 0}}},
	{"npm-", ruleNone, []token{{"npm_", 16, 0}}},
	{"ypi", ruleNone, []token{{"pypi-", 16, 1}}},
	{"hvs", ruleNone, []token{{"hvs.", 16, 0}}},
	{"p-v1", ruleNone, []token{{"dop_v1_", 16, 2}}},
	{"ya2", ruleNone, []token{{"ya29.", 8, 0}}},
	{"ls0", ruleNone, []token{{"LS0tLS1CRUdJTi", 4, 0}}},
	{"56~", ruleNone, []token{{"sha256~", 16, 4}}},
	{"hook", ruleNone, []token{{"hooks.slack.com/services/", 8, 0}}},
	{"att3", ruleNone, []token{{"ATATT3", 16, 2}}},
})

// public are the beginnings, in base64, of what is no secret though it is written like one: what
// follows "-----BEGIN " of certificates and public keys.
var public = [...]string{"BDRVJU", "BQVUJM"}

// token hides a token of one of the services, of which a pattern was found.
func (s *scanner) token(start int, tokens []token) {
	for i := range tokens {
		t := &tokens[i]
		lo := start - t.back
		if lo < 0 || !bytes.HasPrefix(s.text[lo:], []byte(t.prefix)) || !s.beginsWord(lo) {
			continue
		}
		rest := lo + len(t.prefix)
		if hasAnyPrefix(s.text[rest:], public[:]) {
			continue
		}
		end := s.runEnd(rest)
		unfinished := end == len(s.text) && !s.whole
		if end-rest >= t.min || unfinished {
			s.hide(lo, end)
		}
	}
}

// beginsWord reports whether no letter or digit precedes, but for the one of an escape in JSON.
func (s *scanner) beginsWord(i int) bool {
	if i == 0 || !isAlnum(s.text[i-1]) {
		return true
	}
	return i > 1 && s.text[i-2] == '\\'
}

// runEnd returns where a run of characters ends that tokens are made of: those of base64, in both
// alphabets, dots and tildes. A slash may be escaped, as some write it in JSON.
func (s *scanner) runEnd(i int) int {
	for ; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case isAlnum(c):
		case c == '-' || c == '_' || c == '.' || c == '=' || c == '+' || c == '/' || c == '~':
		case c == '\\' && i+1 < len(s.text) && s.text[i+1] == '/':
		default:
			return i
		}
	}
	return i
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
