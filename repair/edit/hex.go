package edit

import (
	"encoding/hex"
	"fmt"
)

// Hex is bytes that stand in JSON as hex digits.
type Hex []byte

// MarshalText returns the digits.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads digits.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("hex %q: %w", text, err)
	}
	*h = b
	return nil
}
