package secret

import "bytes"

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

var theHunter = newHunter([]trigger{
	{"pass", 0, ruleName, nil},
	{"pwd", 0, ruleName, nil},
	{"secret", 2, ruleName, []token{{"AGE-SECRET-KEY-", 8, 4}}},
	{"cred", 0, ruleName, nil},
	{"token", 1, ruleName, nil},
	{"cookie", 2, ruleName, nil},
	{"key", 0, ruleName, nil},
	{"auth", 0, ruleName, nil},
	{"jwt", 0, ruleName, nil},
	{"otp", 0, ruleName, nil},
	{"psk", 0, ruleName, nil},
	{"mnemonic", 0, ruleName, nil},
	{`\u0`, 0, ruleEscape, nil},
	{"eyJ", 1, ruleJWT, nil},
	{"BEGIN ", 1, rulePEM, nil},
	{"$", 0, ruleHash, nil},
	{"://", 0, ruleURL, nil},
	{"@tcp(", 0, ruleAt, nil},
	{"@unix(", 0, ruleAt, nil},
	{"bearer ", 0, ruleScheme, nil},
	{"basic ", 0, ruleScheme, nil},
	{"gh?-", 0, ruleNone, []token{
		{"ghp_", 16, 0}, {"gho_", 16, 0}, {"ghu_", 16, 0}, {"ghs_", 16, 0}, {"ghr_", 16, 0}}},
	{"pat-", 2, ruleNone, []token{
		{"github_pat_", 16, 7}, {"dckr_pat_", 8, 5}, {"shpat_", 16, 2}, {"glpat-", 8, 2}}},
	{"xox", 0, ruleNone, []token{{"xoxa-", 8, 0}, {"xoxb-", 8, 0}, {"xoxe-", 8, 0}, {"xoxe.", 8, 0},
		{"xoxo-", 8, 0}, {"xoxp-", 8, 0}, {"xoxr-", 8, 0}, {"xoxs-", 8, 0}}},
	{"AKIA", 1, ruleNone, []token{{"AKIA", 12, 0}}},
	{"ASIA", 1, ruleNone, []token{{"ASIA", 12, 0}}},
	{"AIza", 1, ruleNone, []token{{"AIza", 20, 0}}},
	{"sk-", 1, ruleNone, []token{{"sk-", 16, 0}, {"sk_live_", 8, 0}, {"sk_test_", 8, 0}}},
	{"SG.", 1, ruleNone, []token{{"SG.", 16, 0}}},
	{"npm-", 1, ruleNone, []token{{"npm_", 16, 0}}},
	{"pypi-", 1, ruleNone, []token{{"pypi-", 16, 0}}},
	{"hvs.", 0, ruleNone, []token{{"hvs.", 16, 0}}},
	{"whsec-", 0, ruleNone, []token{{"whsec_", 8, 0}}},
	{"dop-v1-", 3, ruleNone, []token{{"dop_v1_", 16, 0}}},
	{"ya29.", 1, ruleNone, []token{{"ya29.", 8, 0}}},
	{"LS0tLS1", 1, ruleNone, []token{{"LS0tLS1CRUdJTi", 4, 0}}},
	{"256~", 2, ruleNone, []token{{"sha256~", 16, 3}}},
	{"slack.com/", 0, ruleNone, []token{{"hooks.slack.com/services/", 8, 6}}},
	{"ATATT3", 3, ruleNone, []token{{"ATATT3", 16, 0}}},
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
