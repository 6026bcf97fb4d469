package peer

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// answerText returns the body of an answer, of which no more is read than a member sends.
func answerText(resp *http.Response) (string, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return strings.TrimSuffix(string(b), "\n"), err
}

// preconditionError is what status 412 means.
func preconditionError(text string) error {
	for _, err := range []error{errVersion, errCluster} {
		if text == err.Error() {
			return err
		}
	}
	return fmt.Errorf("precondition failed: %s", text)
}

// checkPosted returns what an answer to a POST means. Stricter than etcd, for which any status 403 says
// that it was removed, it takes a message to another member for a mistake: its URLs may have changed
// hands.
func checkPosted(resp *http.Response) error {
	text, err := answerText(resp)
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusNoContent:
		return nil
	case resp.StatusCode == http.StatusPreconditionFailed:
		return preconditionError(text)
	case resp.StatusCode == http.StatusForbidden && !strings.Contains(text, ErrMismatch.Error()):
		return errSaysRemoved
	}
	return fmt.Errorf("status %d: %s", resp.StatusCode, text)
}
