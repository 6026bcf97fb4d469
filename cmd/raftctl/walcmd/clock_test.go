package walcmd

import "time"

func fixedNow() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }
