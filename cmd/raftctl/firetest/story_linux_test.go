package firetest

import "time"

const patience = 2 * time.Minute
