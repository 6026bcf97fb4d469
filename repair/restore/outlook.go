package restore

import "fmt"

// Start says whether a release starts on what is restored.
type Start struct {
	Release Release
	Starts  bool
	Why     string // not
}

// Outlook tells it of each release, the oldest first. All read the log of either flavour from its
// beginning, where 3.4 to 3.6 have their members from; what keeps a release from starting is a later
// version in the database.
func (p *Plan) Outlook() (list []Start) {
	for r := Release35 - 1; r <= newest(); r++ {
		list = append(list, p.startsOn(r))
	}
	return list
}

func (p *Plan) startsOn(r Release) Start {
	if r < Release36 {
		return Start{Release: r, Starts: true} // these don't look at versions in the database
	}
	versions := []struct{ what, version string }{{"storage", p.Storage.To}, {"cluster", p.Storage.ClusterTo}}
	for _, v := range versions {
		if of, err := releaseOf(v.version); err == nil && of > r {
			return Start{r, false, fmt.Sprintf("%s version %s is later", v.what, v.version)}
		}
	}
	return Start{Release: r, Starts: true}
}
